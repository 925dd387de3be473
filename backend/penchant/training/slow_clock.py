"""The slow clock during a replay: an encoder is fine-tuned again every few thousand events."""

from __future__ import annotations

from pathlib import Path

from penchant.domain.errors import ConfigError
from penchant.domain.types import Matrix
from penchant.logs.stream import Stream, first_events
from penchant.system.optional_package import needs_extra
from penchant.training.finetuning.finetune import FinetuneRequest, finetune
from penchant.training.finetuning.finetune_settings import FinetuneSettings


class FinetuneClock:
    """Item vectors of an encoder whose projection is fine-tuned during a replay, round by round.

    The first round runs at the first fit and trains a new projection, as `penchant finetune
    --steps 0` does; later ones continue it on newer events, as `--from` does.
    """

    def __init__(
        self,
        source: Path,
        directory: Path,
        dimensions: int,
        every: int,
        seed: int,
        head_steps: int = 2000,
    ) -> None:
        """Sets up the rounds; none runs yet.

        Args:
            source: Hugging Face directory to start from.
            directory: directory for the encoder of each round.
            dimensions: length d of the vectors.
            every: events between rounds; 0: only one round.
            seed: seed of the training.
            head_steps: steps per round.

        Raises:
            ConfigError: `every` is below 0, or the training packages are missing.
        """
        if every < 0:
            raise ConfigError(f"finetune_every: got {every}, expected 0 or more")
        with needs_extra("finetune", "train"):  # Refused now, not in the middle of a replay.
            import sentence_transformers  # noqa: F401  # Only to see that it is there.
        self.dimensions = dimensions
        self._source = source
        self._every = every
        self._seed = seed
        self._head_steps = head_steps
        self._directory = directory
        self._rounds = 0
        self._due = 0

    def __call__(self, stream: Stream, until: int) -> Matrix | None:
        """Runs a round on the events before a position, if one is due.

        Args:
            stream: items and log.
            until: number of events that may be read.

        Returns:
            Unit vectors of all items, shape (items, d); None if no round was due.

        Raises:
            ConfigError: there are too few events for a round.
        """
        if until < self._due:
            return None
        from penchant.training.finetuning.trainable_encoder import encode, read_encoder

        output = self._directory / f"round-{self._rounds}"
        settings = FinetuneSettings(
            steps=0,
            head_steps=self._head_steps,
            dimensions=(self.dimensions,),
            test_fraction=0.0,
            seed=self._seed,
        )
        request = FinetuneRequest(
            output=output,
            stream=first_events(stream, until),
            source=None if self._rounds else self._source,
            last=self._source if self._rounds else None,
            settings=settings,
        )
        finetune(request)
        self._source = output
        self._rounds += 1
        self._due = until + self._every if self._every else len(stream.events) + 1
        texts = [item.text for item in stream.items]
        return encode(read_encoder(output), texts, self.dimensions)
