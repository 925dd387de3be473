"""Public data sets that come with installed packages, as logs and catalogs."""
