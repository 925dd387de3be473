"""The ads demo: a day of film ads under caps and budgets."""
