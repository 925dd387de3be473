"""Texts to vectors in each space that a catalog is kept in: what is known, what is to encode."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from penchant.domain.types import CatalogHead, Vector
from penchant.encoder.base import Encoder, Encoders
from penchant.store.base import Snapshot
from penchant.store.items import read_text_vector, scan_items

ENCODE_TEXTS = 32
"""Texts a request to the encoder, so that queries need not wait long behind a large put."""


@dataclass(frozen=True, slots=True)
class Space:
    """One catalog's vectors of some texts."""

    head: CatalogHead
    """As it was when this was found out."""
    encoder: Encoder
    known: dict[str, Vector]
    """Vectors of texts that were encoded before."""
    missing: list[str]
    """Texts to encode."""
    new: bool
    """Whether the catalog's other vectors are another encoder's, and must be made anew."""

    def encoded(self) -> dict[str, Vector]:
        """Vectors of all the texts; raises EncoderUnavailable.

        Encodes slice by slice, so that others' texts get their turn in between.
        """
        vectors = dict(self.known)
        for start in range(0, len(self.missing), ENCODE_TEXTS):
            part = self.missing[start : start + ENCODE_TEXTS]
            vectors |= zip(part, self.encoder.encode(part), strict=True)
        return vectors


def space_of(
    snapshot: Snapshot, head: CatalogHead, encoder: Encoder, texts: Sequence[str]
) -> Space:
    """What is known of texts in a catalog's space; all items' texts where that is a new one."""
    new = head.rows > 0 and head.encoder_version != encoder.version
    wanted = list(texts)
    if new:
        wanted += [stored.item.text for stored in scan_items(snapshot) if stored.alive]
    known, missing = known_vectors(snapshot, encoder.version, wanted)
    return Space(head, encoder, known, missing, new)


def encoder_of(head: CatalogHead, encoders: Encoders) -> Encoder:
    """The encoder that new texts of a catalog need: its release's, or else the configured one.

    Raises:
        EncoderUnavailable: the release's encoder is not there.
    """
    return encoders.of(head.encoder_version, head.dimensions) if head.release else encoders.default


def known_vectors(
    snapshot: Snapshot, encoder_version: str, texts: Iterable[str]
) -> tuple[dict[str, Vector], list[str]]:
    """Vectors of the texts that this encoder has encoded before, and the texts that it has not."""
    known: dict[str, Vector] = {}
    missing: list[str] = []
    for text in dict.fromkeys(texts):
        vector = read_text_vector(snapshot, encoder_version, text)
        if vector is None:
            missing.append(text)
        else:
            known[text] = vector
    return known, missing
