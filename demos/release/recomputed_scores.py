"""Scores recomputed from the files of one catalog version, to find replies that mixed two spaces.

If the user's interest, the query or an item's vector of a reply came from another encoder, the
reply's scores could not agree with the recomputed ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from demos.release.continuous_clients import QUERIES, ServedRanking
from penchant.catalog.view import CatalogReader, CatalogView
from penchant.config import Config
from penchant.domain.context import nowhere
from penchant.domain.event_weights import time_bucket
from penchant.domain.types import UserState, Vector
from penchant.domain.window import empty_record
from penchant.encoder.base import Encoder
from penchant.encoder.library import load_onnx
from penchant.launch.server_store import ServerStore
from penchant.releases.manifest import encoder_directory
from penchant.service.scoring import score_all
from penchant.service.user_interest import UserInContext, interest_of, read_catalog, repeats_in
from penchant.store.base import Store
from penchant.store.items import read_head
from penchant.store.users import read_user

TOLERANCE = 1e-3
"""Largest difference of a score from its recomputation: the server batches queries differently."""


class RecomputedScores:
    """The scores that rankings of the watched users must have under one catalog version."""

    def __init__(
        self,
        store: Store,
        directory: Path,
        config: Config,
        encoder: Encoder,
        users: Sequence[str],
        as_of_s: float,
    ) -> None:
        """Computes the scores from the store and the catalog's files, without the server.

        Args:
            store: the server's store.
            directory: directory of the catalog's files.
            config: settings of the server.
            encoder: encoder of the catalog version, for the queries.
            users: watched users.
            as_of_s: epoch seconds of the rankings.
        """
        with store.snapshot() as snapshot:
            view = read_catalog(snapshot, CatalogReader(directory, config.fold))
            states = {user: read_user(snapshot, user) for user in users}
        self.version = view.head.version
        self.encoder_version = view.head.encoder_version
        queries = [query for query in QUERIES if query]
        vectors = dict(zip(queries, encoder.encode(queries), strict=True))
        self._rows = {id_: row for row, id_ in enumerate(view.ids)}
        self._personal = {
            (user, query): _personal(view, state, as_of_s, vectors.get(query))
            for user, state in states.items()
            for query in QUERIES
        }

    def agrees(self, served: ServedRanking) -> bool:
        """Whether every score of a reply equals the recomputed one, item biases left out."""
        if served.reply.encoder_version != self.encoder_version:
            return False
        expected = self._personal[served.user, served.query]
        for item in served.reply.items:
            why = item.explanation
            assert why is not None
            found = why.slow + why.fast + why.near + why.repeat + why.query
            if abs(found - expected[self._rows[item.id]]) > TOLERANCE:
                return False
        return True


def _personal(
    view: CatalogView, state: UserState | None, as_of_s: float, query: Vector | None
) -> Vector:
    """Scores of all items without their biases, shape (rows,)."""
    bucket = time_bucket(int(as_of_s * 1e6), view.settings)
    interest, _ = interest_of(UserState((state or UserState(empty_record())).record), view, bucket)
    window = (state or UserState(empty_record())).record.window
    seen = UserInContext("", window, interest, bucket, nowhere())
    scored = score_all(view, interest, query, repeats=repeats_in(view, seen))
    return scored.scores - scored.offsets


@dataclass(slots=True)
class ServedVersions:
    """Recomputed scores of every catalog version that the demo has served."""

    place: ServerStore
    """The server's store and the files beside it."""
    configured: Path
    """Directory of the encoder that serves without a release."""
    users: list[str]
    as_of_s: float
    versions: dict[int, RecomputedScores] = field(default_factory=dict)

    def recompute(self) -> None:
        """Recomputes the scores of the catalog version that is served now."""
        with self.place.store.snapshot() as snapshot:
            release = read_head(snapshot).release
        released = encoder_directory(self.place.releases / release)
        scores = RecomputedScores(
            self.place.store,
            self.place.directory,
            self.place.config,
            load_onnx(released if release else self.configured),
            self.users,
            self.as_of_s,
        )
        self.versions[scores.version] = scores

    def agree(self, served: ServedRanking) -> bool:
        """Whether a reply has the scores of the catalog version that it names."""
        scores = self.versions.get(served.reply.catalog_version)
        return scores is not None and scores.agrees(served)
