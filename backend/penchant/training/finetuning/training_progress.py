"""Reports of a fine-tuning: while it runs, and how its training ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from penchant.logs.refusals import LeftOut
from penchant.logs.stream import Stream

METRIC = "ndcg@10"
"""The metric that chooses the best weights; the training log has it as `eval_ndcg@10`."""


@dataclass(frozen=True, slots=True)
class TrainingProgress:
    """Callbacks of a fine-tuning."""

    on_read: Callable[[Stream, LeftOut], None] = lambda stream, left_out: None
    """Called once the log is read, with the rows left out of it."""
    on_stage: Callable[[str], None] = lambda stage: None
    """Called when a stage begins, with its name."""
    on_step: Callable[[int], None] = lambda step: None
    """Called after each step of the encoder, with its number from 1."""
    on_metrics: Callable[[Mapping[str, float]], None] = lambda row: None
    """Called with each row of the training log."""


SILENT = TrainingProgress()
"""Reports nothing."""


@dataclass(frozen=True, slots=True)
class TrainingOutcome:
    """How the training of an encoder ended."""

    steps: int
    """Steps trained, including those of interrupted runs."""
    stopped_by: str
    """`steps`: all steps done; `patience`: no new best for long; `time`: out of time, and the
    same request resumes."""
    best_step: int
    """Step of the weights that were kept; 0: no evaluation beat the start."""
    log: tuple[Mapping[str, float], ...]
    """All rows of the training log, including those of interrupted runs."""
