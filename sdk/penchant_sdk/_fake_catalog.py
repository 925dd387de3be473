"""The fake server's catalog: items, their vectors, and what everybody thinks of them."""

from __future__ import annotations

from penchant_proto.v1 import catalog_pb2, item_pb2
from penchant_sdk import _fake_checks as checks
from penchant_sdk._fake_maths import Vector, embed

ENCODER_VERSION = "fake-bag-of-words"


class FakeCatalog:
    """Items in memory."""

    def __init__(self) -> None:
        self.items: dict[str, item_pb2.Item] = {}
        self.vectors: dict[str, Vector] = {}
        """Of the items that are there."""
        self.places: dict[str, int] = {}
        """The order in which the items came; a deleted item keeps its place."""
        self.positives: dict[str, float] = {}
        """Sum of the weighted positive rewards of all users, by item."""
        self.version = 0
        self._encoded: dict[str, Vector] = {}

    def put_items(self, request: catalog_pb2.PutItemsRequest) -> catalog_pb2.PutItemsReply:
        """Adds or replaces items, all or none."""
        checks.check_items(request.items)
        changed = [item for item in request.items if self.items.get(item.id) != item]
        texts = {item.text for item in changed} - self._encoded.keys()
        self._encoded |= {text: embed(text) for text in texts}
        if any(item.id in self.items and self.items[item.id].text != item.text for item in changed):
            self.version += 1
        for item in changed:
            self.items[item.id] = item
            self.places.setdefault(item.id, len(self.places))
            self.vectors[item.id] = self._encoded[item.text]
        return catalog_pb2.PutItemsReply(
            catalog_version=self.version,
            encoder_version=ENCODER_VERSION,
            changed=len(changed),
            unchanged=len(request.items) - len(changed),
            encoded=len(texts),
            item_count=len(self.items),
        )

    def delete_items(self, request: catalog_pb2.DeleteItemsRequest) -> catalog_pb2.DeleteItemsReply:
        """Removes items."""
        checks.check_ids("ids", request.ids, 1000)
        unknown = [id for id in request.ids if id not in self.items]
        for id in request.ids:
            self.items.pop(id, None)
            self.vectors.pop(id, None)
        return catalog_pb2.DeleteItemsReply(
            catalog_version=self.version,
            deleted=len(request.ids) - len(unknown),
            unknown=unknown,
            item_count=len(self.items),
        )

    def get_items(self, request: catalog_pb2.GetItemsRequest) -> catalog_pb2.GetItemsReply:
        """Reads items back."""
        checks.check_ids("ids", request.ids, 1000)
        return catalog_pb2.GetItemsReply(
            items=[self.items[id] for id in request.ids if id in self.items],
            unknown=[id for id in request.ids if id not in self.items],
            catalog_version=self.version,
            encoder_version=ENCODER_VERSION,
            item_count=len(self.items),
        )
