"""Catalog: items to put, ids to delete or to read, and what became of them."""

from __future__ import annotations

from penchant.domain.types import Item
from penchant.service.catalog import DeleteResult, GetRequest, GetResult, PutResult
from penchant_proto.v1 import catalog_pb2, item_pb2
from penchant_proto.v1.service_pb2 import Reply


def put_items_request(message: catalog_pb2.PutItemsRequest) -> tuple[Item, ...]:
    """The items to put."""
    return tuple([Item(item.id, item.text, dict(item.attributes)) for item in message.items])


def ids_request(message: catalog_pb2.DeleteItemsRequest) -> tuple[str, ...]:
    """The ids of the items to delete."""
    return tuple(message.ids)


def get_request(message: catalog_pb2.GetItemsRequest) -> GetRequest:
    """The ids of the items to read."""
    return GetRequest(tuple(message.ids), message.paged)


def put_items_reply(result: PutResult) -> Reply:
    """How many items a put changed, left alone and encoded."""
    return Reply(
        put_items=catalog_pb2.PutItemsReply(
            catalog_version=result.head.version,
            encoder_version=result.head.encoder_version,
            changed=result.changed,
            unchanged=result.unchanged,
            encoded=result.encoded,
            item_count=result.head.alive,
        )
    )


def delete_items_reply(result: DeleteResult) -> Reply:
    """How many items were deleted, and the ids that were not in the catalog."""
    return Reply(
        delete_items=catalog_pb2.DeleteItemsReply(
            catalog_version=result.head.version,
            deleted=result.deleted,
            unknown=result.unknown,
            item_count=result.head.alive,
        )
    )


def get_items_reply(result: GetResult) -> Reply:
    """The items found, and the ids that are not in the catalog."""
    items = [
        item_pb2.Item(id=item.id, text=item.text, attributes=item.attributes)
        for item in result.items
    ]
    return Reply(
        get_items=catalog_pb2.GetItemsReply(
            items=items,
            unknown=result.unknown,
            catalog_version=result.head.version,
            encoder_version=result.head.encoder_version,
            item_count=result.head.alive,
            covered=result.covered,
        )
    )
