"""An ad client's state between calls: campaigns, names of items, and the calibration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from types import MappingProxyType

from penchant_sdk.ads.calibration import Calibration
from penchant_sdk.ads.campaign import Campaign, from_item, item_of
from penchant_sdk.errors import InvalidRequest
from penchant_sdk.records import GetItemsResult

_MAX_NAMES = 100_000
_NAME_LENGTH = 60


@dataclass(frozen=True, slots=True)
class Topics:
    """Vectors of topics that campaigns avoid, from one encoder."""

    encoder_version: str = ""
    vectors: Mapping[str, Sequence[float]] = field(default_factory=dict)
    """By topic."""


class Knowledge:
    """Campaigns, names and calibration; thread-safe, because each is replaced as a whole."""

    def __init__(
        self,
        campaigns: Iterable[Campaign],
        calibration: Calibration,
        seed: int | None,
        unsafe_from: float,
    ) -> None:
        self.unsafe_from = unsafe_from
        self.topics = Topics()
        self.calibration = calibration
        self.random = Random(seed)
        self.campaigns: Mapping[str, Campaign] = MappingProxyType({})
        self.names: Mapping[str, str] = {}
        """Names of items by id, for the text of reasons."""
        self.add_campaigns(campaigns)

    def add_campaigns(self, campaigns: Iterable[Campaign]) -> None:
        """Makes campaigns selectable; one with a known id replaces the earlier one."""
        added = {campaign.id: campaign for campaign in campaigns}
        self.campaigns = MappingProxyType({**self.campaigns, **added})
        names = {id_: _short(campaign.text) for id_, campaign in added.items()}
        for id_, campaign in added.items():
            names |= {item_of(id_, one.id): _short(one.text) for one in campaign.creatives}
        self.add_names(names)

    def add_names(self, names: Mapping[str, str]) -> None:
        """Adds names of items; drops all earlier ones once there are too many."""
        kept = self.names if len(self.names) < _MAX_NAMES else {}
        self.names = {**kept, **names}

    def add_items(self, found: GetItemsResult) -> tuple[Campaign, ...]:
        """Adds and returns the campaigns of items read from the catalog.

        Raises:
            InvalidRequest: an id is unknown, or its item is not a campaign.
        """
        campaigns = [from_item(item) for item in found.items]
        strange = [item.id for item, one in zip(found.items, campaigns, strict=True) if one is None]
        if found.unknown or strange:
            raise InvalidRequest(
                f"ids: got {', '.join([*found.unknown, *strange])[:200]}, expected campaigns that "
                "`put_campaigns` put into the catalog"
            )
        read = tuple(one for one in campaigns if one is not None)
        self.add_campaigns(read)
        return read


def _short(text: str) -> str:
    """The text's first sentence, cut to 60 characters."""
    sentence = text.partition(". ")[0].rstrip(".")
    return sentence if len(sentence) <= _NAME_LENGTH else sentence[: _NAME_LENGTH - 1] + "…"
