"""Off-policy evaluation: the value of a candidate policy from another policy's log."""
