"""Off-policy evaluation: what a candidate policy would have earned, from the log of another one."""
