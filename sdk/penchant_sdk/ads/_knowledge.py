"""What an ad client knows between its calls: campaigns, names for reasons, the calibration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from random import Random
from types import MappingProxyType

from penchant_sdk.ads.calibration import Calibration
from penchant_sdk.ads.campaign import Campaign, from_item
from penchant_sdk.errors import InvalidRequest
from penchant_sdk.records import GetItemsResult

_MAX_NAMES = 100_000
_NAME_LENGTH = 60


class Knowledge:
    """Safe to share between threads: what is read is replaced whole, never changed in place."""

    def __init__(
        self, campaigns: Iterable[Campaign], calibration: Calibration, seed: int | None
    ) -> None:
        self.calibration = calibration
        self.random = Random(seed)
        self.campaigns: Mapping[str, Campaign] = MappingProxyType({})
        self.names: Mapping[str, str] = {}
        """What reasons call items."""
        self.add_campaigns(campaigns)

    def add_campaigns(self, campaigns: Iterable[Campaign]) -> None:
        """From now on they can be selected; one with a known id takes its place."""
        added = {campaign.id: campaign for campaign in campaigns}
        self.campaigns = MappingProxyType({**self.campaigns, **added})
        self.add_names({id_: _short(campaign.text) for id_, campaign in added.items()})

    def add_names(self, names: Mapping[str, str]) -> None:
        """Names of items for the reasons to come; forgets the others when there are too many."""
        kept = self.names if len(self.names) < _MAX_NAMES else {}
        self.names = {**kept, **names}

    def add_items(self, found: GetItemsResult) -> tuple[Campaign, ...]:
        """The campaigns among items that were read.

        Raises:
            InvalidRequest: an id is unknown, or its item is no campaign.
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
    """The first sentence of a text, or its first 60 letters."""
    sentence = text.partition(". ")[0].rstrip(".")
    return sentence if len(sentence) <= _NAME_LENGTH else sentence[: _NAME_LENGTH - 1] + "…"
