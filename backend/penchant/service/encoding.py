"""Texts to vectors in the vector space of each catalog: those known, and those yet to encode."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass

from penchant.domain.types import CatalogHead, Vector
from penchant.encoder.base import Encoder, Encoders
from penchant.store.base import Snapshot
from penchant.store.items import fetch_text_vectors, read_text_vector, scan_items

ENCODE_TEXTS = 32
"""Texts per request to the encoder; smaller puts go between those of a large one."""


@dataclass(frozen=True, slots=True)
class Space:
    """The vectors of some texts in one catalog's space."""

    head: CatalogHead
    """The catalog's head in the snapshot that was read."""
    encoder: Encoder
    known: dict[str, Vector]
    """Vectors of texts that this encoder has encoded before."""
    missing: list[str]
    """Texts to encode."""
    new: bool
    """Whether the catalog's vectors are another encoder's, so that all must be made anew."""

    def encoded(self) -> Generator[None, None, dict[str, Vector]]:
        """Vectors of all the texts, in slices; raises EncoderUnavailable."""
        vectors = dict(self.known)
        for start in range(0, len(self.missing), ENCODE_TEXTS):
            part = self.missing[start : start + ENCODE_TEXTS]
            vectors |= zip(part, self.encoder.encode(part), strict=True)
            yield
        return vectors


def space_of(
    snapshot: Snapshot, head: CatalogHead, encoder: Encoder, texts: Sequence[str]
) -> Space:
    """The vectors of texts in a catalog's space; in a new space, those of all items' texts too."""
    new = head.rows > 0 and head.encoder_version != encoder.version
    wanted = list(texts)
    if new:
        wanted += [stored.item.text for stored in scan_items(snapshot) if stored.alive]
    known, missing = known_vectors(snapshot, encoder.version, wanted)
    return Space(head, encoder, known, missing, new)


def encoder_of(head: CatalogHead, encoders: Encoders) -> Encoder:
    """The encoder for new texts of a catalog: its release's, or else the configured one.

    Raises:
        EncoderUnavailable: the release's encoder is missing.
    """
    return encoders.of(head.encoder_version, head.dimensions) if head.release else encoders.default


def known_vectors(
    snapshot: Snapshot, encoder_version: str, texts: Iterable[str]
) -> tuple[dict[str, Vector], list[str]]:
    """The vectors of texts that an encoder has encoded before, and the texts that it has not."""
    known: dict[str, Vector] = {}
    missing: list[str] = []
    distinct = dict.fromkeys(texts)
    fetch_text_vectors(snapshot, encoder_version, distinct)
    for text in distinct:
        vector = read_text_vector(snapshot, encoder_version, text)
        if vector is None:
            missing.append(text)
        else:
            known[text] = vector
    return known, missing
