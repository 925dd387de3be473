"""`penchant import items`: the items of a file, put to a server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Annotated

from penchant.cli.client import LOCAL, ConnectionOptions, connected
from penchant.cli.import_report import CALL_TIMEOUT_S, run_import
from penchant.domain import types
from penchant.logs import bulk_import
from penchant.logs.bulk_import import ImportItemsRequest, SentBatch
from penchant.system.option_types import FLAT
from penchant_sdk import InvalidRequest, Item, Penchant


def import_items(
    request: Annotated[ImportItemsRequest, FLAT], *, server: ConnectionOptions = LOCAL
) -> int:
    """Adds or replaces items; columns that are neither id nor text become attributes."""
    with connected(server) as penchant:
        return run_import(
            request.file,
            lambda on_stage: bulk_import.import_items(
                request, server.target, items_to(penchant), on_stage
            ),
        )


def items_to(penchant: Penchant) -> Callable[[Sequence[types.Item]], SentBatch]:
    """Puts items; a call that is refused is halved until the item to blame is alone."""

    def send(batch: Sequence[types.Item]) -> SentBatch:
        items = [Item(item.id, item.text, item.attributes) for item in batch]
        try:
            put = penchant.put_items(items, timeout_s=CALL_TIMEOUT_S)
        except InvalidRequest as error:
            if len(batch) == 1:
                return SentBatch({}, {0: str(error)})
            half = len(batch) // 2
            first, second = send(batch[:half]), send(batch[half:])
            counts = Counter(first.counts) + Counter(second.counts)
            refused = {position + half: reason for position, reason in second.refused.items()}
            return SentBatch(counts, {**first.refused, **refused})
        return SentBatch({"new or changed": put.changed, "unchanged": put.unchanged})

    return send
