from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class EmbedRequest(_message.Message):
    __slots__ = ("texts", "encoder_version", "bulk")
    TEXTS_FIELD_NUMBER: _ClassVar[int]
    ENCODER_VERSION_FIELD_NUMBER: _ClassVar[int]
    BULK_FIELD_NUMBER: _ClassVar[int]
    texts: _containers.RepeatedScalarFieldContainer[str]
    encoder_version: str
    bulk: bool
    def __init__(self, texts: _Optional[_Iterable[str]] = ..., encoder_version: _Optional[str] = ..., bulk: bool = ...) -> None: ...

class EmbedReply(_message.Message):
    __slots__ = ("vectors", "dimensions", "encoder_version")
    VECTORS_FIELD_NUMBER: _ClassVar[int]
    DIMENSIONS_FIELD_NUMBER: _ClassVar[int]
    ENCODER_VERSION_FIELD_NUMBER: _ClassVar[int]
    vectors: bytes
    dimensions: int
    encoder_version: str
    def __init__(self, vectors: _Optional[bytes] = ..., dimensions: _Optional[int] = ..., encoder_version: _Optional[str] = ...) -> None: ...
