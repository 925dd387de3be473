"""What a ranking, an event and a fold cost, and how each grows: one file a question.

`python -m benchmarks.costs` measures all of them and writes `docs/data/costs.json`.
"""
