"""Tables, charts and pages: one style for the terminal, the browser and the pictures."""
