from google.protobuf import descriptor_pb2 as _descriptor_pb2
from penchant_proto.v1 import catalog_pb2 as _catalog_pb2
from penchant_proto.v1 import embed_pb2 as _embed_pb2
from penchant_proto.v1 import feedback_pb2 as _feedback_pb2
from penchant_proto.v1 import rank_pb2 as _rank_pb2
from penchant_proto.v1 import reserve_pb2 as _reserve_pb2
from penchant_proto.v1 import user_pb2 as _user_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor
MODEL_FIELD_NUMBER: _ClassVar[int]
model: _descriptor.FieldDescriptor

class Call(_message.Message):
    __slots__ = ("rank", "feedback", "put_items", "delete_items", "get_items", "get_user", "export_user", "forget_user", "embed", "reserve", "merge_users", "timeout_ms", "health_check")
    RANK_FIELD_NUMBER: _ClassVar[int]
    FEEDBACK_FIELD_NUMBER: _ClassVar[int]
    PUT_ITEMS_FIELD_NUMBER: _ClassVar[int]
    DELETE_ITEMS_FIELD_NUMBER: _ClassVar[int]
    GET_ITEMS_FIELD_NUMBER: _ClassVar[int]
    GET_USER_FIELD_NUMBER: _ClassVar[int]
    EXPORT_USER_FIELD_NUMBER: _ClassVar[int]
    FORGET_USER_FIELD_NUMBER: _ClassVar[int]
    EMBED_FIELD_NUMBER: _ClassVar[int]
    RESERVE_FIELD_NUMBER: _ClassVar[int]
    MERGE_USERS_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_MS_FIELD_NUMBER: _ClassVar[int]
    HEALTH_CHECK_FIELD_NUMBER: _ClassVar[int]
    rank: _rank_pb2.RankRequest
    feedback: _feedback_pb2.FeedbackRequest
    put_items: _catalog_pb2.PutItemsRequest
    delete_items: _catalog_pb2.DeleteItemsRequest
    get_items: _catalog_pb2.GetItemsRequest
    get_user: _user_pb2.GetUserRequest
    export_user: _user_pb2.ExportUserRequest
    forget_user: _user_pb2.ForgetUserRequest
    embed: _embed_pb2.EmbedRequest
    reserve: _reserve_pb2.ReserveRequest
    merge_users: _user_pb2.MergeUsersRequest
    timeout_ms: int
    health_check: bool
    def __init__(self, rank: _Optional[_Union[_rank_pb2.RankRequest, _Mapping]] = ..., feedback: _Optional[_Union[_feedback_pb2.FeedbackRequest, _Mapping]] = ..., put_items: _Optional[_Union[_catalog_pb2.PutItemsRequest, _Mapping]] = ..., delete_items: _Optional[_Union[_catalog_pb2.DeleteItemsRequest, _Mapping]] = ..., get_items: _Optional[_Union[_catalog_pb2.GetItemsRequest, _Mapping]] = ..., get_user: _Optional[_Union[_user_pb2.GetUserRequest, _Mapping]] = ..., export_user: _Optional[_Union[_user_pb2.ExportUserRequest, _Mapping]] = ..., forget_user: _Optional[_Union[_user_pb2.ForgetUserRequest, _Mapping]] = ..., embed: _Optional[_Union[_embed_pb2.EmbedRequest, _Mapping]] = ..., reserve: _Optional[_Union[_reserve_pb2.ReserveRequest, _Mapping]] = ..., merge_users: _Optional[_Union[_user_pb2.MergeUsersRequest, _Mapping]] = ..., timeout_ms: _Optional[int] = ..., health_check: bool = ...) -> None: ...

class Reply(_message.Message):
    __slots__ = ("rank", "feedback", "put_items", "delete_items", "get_items", "get_user", "export_user", "forget_user", "embed", "reserve", "merge_users")
    RANK_FIELD_NUMBER: _ClassVar[int]
    FEEDBACK_FIELD_NUMBER: _ClassVar[int]
    PUT_ITEMS_FIELD_NUMBER: _ClassVar[int]
    DELETE_ITEMS_FIELD_NUMBER: _ClassVar[int]
    GET_ITEMS_FIELD_NUMBER: _ClassVar[int]
    GET_USER_FIELD_NUMBER: _ClassVar[int]
    EXPORT_USER_FIELD_NUMBER: _ClassVar[int]
    FORGET_USER_FIELD_NUMBER: _ClassVar[int]
    EMBED_FIELD_NUMBER: _ClassVar[int]
    RESERVE_FIELD_NUMBER: _ClassVar[int]
    MERGE_USERS_FIELD_NUMBER: _ClassVar[int]
    rank: _rank_pb2.RankReply
    feedback: _feedback_pb2.FeedbackReply
    put_items: _catalog_pb2.PutItemsReply
    delete_items: _catalog_pb2.DeleteItemsReply
    get_items: _catalog_pb2.GetItemsReply
    get_user: _user_pb2.GetUserReply
    export_user: _user_pb2.ExportUserReply
    forget_user: _user_pb2.ForgetUserReply
    embed: _embed_pb2.EmbedReply
    reserve: _reserve_pb2.ReserveReply
    merge_users: _user_pb2.MergeUsersReply
    def __init__(self, rank: _Optional[_Union[_rank_pb2.RankReply, _Mapping]] = ..., feedback: _Optional[_Union[_feedback_pb2.FeedbackReply, _Mapping]] = ..., put_items: _Optional[_Union[_catalog_pb2.PutItemsReply, _Mapping]] = ..., delete_items: _Optional[_Union[_catalog_pb2.DeleteItemsReply, _Mapping]] = ..., get_items: _Optional[_Union[_catalog_pb2.GetItemsReply, _Mapping]] = ..., get_user: _Optional[_Union[_user_pb2.GetUserReply, _Mapping]] = ..., export_user: _Optional[_Union[_user_pb2.ExportUserReply, _Mapping]] = ..., forget_user: _Optional[_Union[_user_pb2.ForgetUserReply, _Mapping]] = ..., embed: _Optional[_Union[_embed_pb2.EmbedReply, _Mapping]] = ..., reserve: _Optional[_Union[_reserve_pb2.ReserveReply, _Mapping]] = ..., merge_users: _Optional[_Union[_user_pb2.MergeUsersReply, _Mapping]] = ...) -> None: ...
