from penchant_proto.v1 import item_pb2 as _item_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PutItemsRequest(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[_item_pb2.Item]
    def __init__(self, items: _Optional[_Iterable[_Union[_item_pb2.Item, _Mapping]]] = ...) -> None: ...

class PutItemsReply(_message.Message):
    __slots__ = ("catalog_version", "encoder_version", "changed", "unchanged", "encoded", "item_count")
    CATALOG_VERSION_FIELD_NUMBER: _ClassVar[int]
    ENCODER_VERSION_FIELD_NUMBER: _ClassVar[int]
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    ENCODED_FIELD_NUMBER: _ClassVar[int]
    ITEM_COUNT_FIELD_NUMBER: _ClassVar[int]
    catalog_version: int
    encoder_version: str
    changed: int
    unchanged: int
    encoded: int
    item_count: int
    def __init__(self, catalog_version: _Optional[int] = ..., encoder_version: _Optional[str] = ..., changed: _Optional[int] = ..., unchanged: _Optional[int] = ..., encoded: _Optional[int] = ..., item_count: _Optional[int] = ...) -> None: ...

class DeleteItemsRequest(_message.Message):
    __slots__ = ("ids",)
    IDS_FIELD_NUMBER: _ClassVar[int]
    ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, ids: _Optional[_Iterable[str]] = ...) -> None: ...

class DeleteItemsReply(_message.Message):
    __slots__ = ("catalog_version", "deleted", "unknown", "item_count")
    CATALOG_VERSION_FIELD_NUMBER: _ClassVar[int]
    DELETED_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_FIELD_NUMBER: _ClassVar[int]
    ITEM_COUNT_FIELD_NUMBER: _ClassVar[int]
    catalog_version: int
    deleted: int
    unknown: _containers.RepeatedScalarFieldContainer[str]
    item_count: int
    def __init__(self, catalog_version: _Optional[int] = ..., deleted: _Optional[int] = ..., unknown: _Optional[_Iterable[str]] = ..., item_count: _Optional[int] = ...) -> None: ...

class GetItemsRequest(_message.Message):
    __slots__ = ("ids", "paged")
    IDS_FIELD_NUMBER: _ClassVar[int]
    PAGED_FIELD_NUMBER: _ClassVar[int]
    ids: _containers.RepeatedScalarFieldContainer[str]
    paged: bool
    def __init__(self, ids: _Optional[_Iterable[str]] = ..., paged: bool = ...) -> None: ...

class GetItemsReply(_message.Message):
    __slots__ = ("items", "unknown", "catalog_version", "encoder_version", "item_count", "covered")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_FIELD_NUMBER: _ClassVar[int]
    CATALOG_VERSION_FIELD_NUMBER: _ClassVar[int]
    ENCODER_VERSION_FIELD_NUMBER: _ClassVar[int]
    ITEM_COUNT_FIELD_NUMBER: _ClassVar[int]
    COVERED_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[_item_pb2.Item]
    unknown: _containers.RepeatedScalarFieldContainer[str]
    catalog_version: int
    encoder_version: str
    item_count: int
    covered: int
    def __init__(self, items: _Optional[_Iterable[_Union[_item_pb2.Item, _Mapping]]] = ..., unknown: _Optional[_Iterable[str]] = ..., catalog_version: _Optional[int] = ..., encoder_version: _Optional[str] = ..., item_count: _Optional[int] = ..., covered: _Optional[int] = ...) -> None: ...
