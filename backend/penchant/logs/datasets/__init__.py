"""Public data sets that packages carry, as logs and catalogs."""
