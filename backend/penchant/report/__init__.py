"""Tables, charts and HTML pages in one style."""
