"""`penchant demo-home`: a small home understands sentences and learns habits on a real Triton."""
