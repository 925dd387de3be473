"""`penchant demo-games`: simulated players of Debian's games on a real server."""
