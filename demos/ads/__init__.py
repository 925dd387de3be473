"""A day of ads under caps and budgets."""
