"""A simulation of fleets that nobody can rent to try, calibrated on measured costs.

`python -m benchmarks.fleet` writes `docs/data/fleet.json`; it needs the extra `simulation`.
"""
