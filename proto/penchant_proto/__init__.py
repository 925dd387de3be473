"""The contract, generated from `proto/penchant`; see `proto/generate.py`."""
