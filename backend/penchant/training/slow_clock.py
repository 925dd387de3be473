"""The slow clock in a replay: the projection fine-tuned on the events so far, round by round."""

from __future__ import annotations

from pathlib import Path

from penchant.domain.errors import ConfigError
from penchant.domain.types import Matrix
from penchant.logs.stream import Stream, first_events


class SlowClock:
    """Text vectors of an encoder that is fine-tuned at the first fit, then every so many events.

    The first round trains a new projection, each later one goes on from it with what is newer, as
    `penchant finetune --steps 0` does, then with `--from`.
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
        """Describes a clock that has not gone off.

        Args:
            source: Hugging Face directory to start from.
            directory: where each round's encoder is written.
            dimensions: d of the vectors.
            every: events between two rounds; 0: one round alone.
            seed: of the training.
            head_steps: of each round.

        Raises:
            ConfigError: `every` is below 0, or the packages for training are missing.
        """
        if every < 0:
            raise ConfigError(f"finetune_every: got {every}, expected 0 or more")
        try:  # Only here: it takes seconds, and most evaluations need none of it.
            from penchant.training.finetuning import finetune as run
        except ModuleNotFoundError as error:
            raise ConfigError(
                f"finetune: the package {error.name} is missing; `pip install 'penchant[train]'`"
            ) from error
        self.dimensions = dimensions
        self._run = run
        self._source = source
        self._every = every
        self._seed = seed
        self._head_steps = head_steps
        self._directory = directory
        self._rounds = 0
        self._due = 0

    def __call__(self, stream: Stream, until: int) -> Matrix | None:
        """The items' vectors after a round on the events before `until`; None: none is due.

        Raises:
            ConfigError: there are too few events for a round.
        """
        if until < self._due:
            return None
        from penchant.training.finetuning.finetune_settings import FinetuneSettings
        from penchant.training.finetuning.trainable_encoder import encode, read_encoder

        output = self._directory / f"round-{self._rounds}"
        settings = FinetuneSettings(
            steps=0,
            head_steps=self._head_steps,
            dimensions=(self.dimensions,),
            test_fraction=0.0,
            seed=self._seed,
        )
        known, continued = first_events(stream, until), self._rounds > 0
        self._run.finetune(self._run.Request(known, self._source, output, settings, continued))
        self._source = output
        self._rounds += 1
        self._due = until + self._every if self._every else len(stream.events) + 1
        texts = [item.text for item in stream.items]
        return encode(read_encoder(output), texts, self.dimensions)
