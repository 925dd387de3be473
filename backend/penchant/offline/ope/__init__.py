"""Off-policy evaluation: what a candidate policy would have earned, from what another one logged."""
