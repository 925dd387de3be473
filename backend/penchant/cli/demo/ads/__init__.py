"""`penchant demo-ads`: a day of film ads on a real Triton."""
