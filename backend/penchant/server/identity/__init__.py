"""Who calls: signed tokens, the keys that verify them, and limits per caller."""
