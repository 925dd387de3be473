from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Candidates(_message.Message):
    __slots__ = ("ids",)
    IDS_FIELD_NUMBER: _ClassVar[int]
    ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, ids: _Optional[_Iterable[str]] = ...) -> None: ...

class Exploration(_message.Message):
    __slots__ = ("plackett_luce", "epsilon_greedy", "thompson", "seed")
    class PlackettLuce(_message.Message):
        __slots__ = ("temperature",)
        TEMPERATURE_FIELD_NUMBER: _ClassVar[int]
        temperature: float
        def __init__(self, temperature: _Optional[float] = ...) -> None: ...
    class EpsilonGreedy(_message.Message):
        __slots__ = ("epsilon",)
        EPSILON_FIELD_NUMBER: _ClassVar[int]
        epsilon: float
        def __init__(self, epsilon: _Optional[float] = ...) -> None: ...
    class Thompson(_message.Message):
        __slots__ = ("scale",)
        SCALE_FIELD_NUMBER: _ClassVar[int]
        scale: float
        def __init__(self, scale: _Optional[float] = ...) -> None: ...
    PLACKETT_LUCE_FIELD_NUMBER: _ClassVar[int]
    EPSILON_GREEDY_FIELD_NUMBER: _ClassVar[int]
    THOMPSON_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    plackett_luce: Exploration.PlackettLuce
    epsilon_greedy: Exploration.EpsilonGreedy
    thompson: Exploration.Thompson
    seed: int
    def __init__(self, plackett_luce: _Optional[_Union[Exploration.PlackettLuce, _Mapping]] = ..., epsilon_greedy: _Optional[_Union[Exploration.EpsilonGreedy, _Mapping]] = ..., thompson: _Optional[_Union[Exploration.Thompson, _Mapping]] = ..., seed: _Optional[int] = ...) -> None: ...

class RankRequest(_message.Message):
    __slots__ = ("user", "candidates", "k", "query", "context", "exclude_seen", "min_state_version", "explain", "as_of_us", "explore", "diversity", "exclude_owned")
    class ContextEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    USER_FIELD_NUMBER: _ClassVar[int]
    CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    K_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    EXCLUDE_SEEN_FIELD_NUMBER: _ClassVar[int]
    MIN_STATE_VERSION_FIELD_NUMBER: _ClassVar[int]
    EXPLAIN_FIELD_NUMBER: _ClassVar[int]
    AS_OF_US_FIELD_NUMBER: _ClassVar[int]
    EXPLORE_FIELD_NUMBER: _ClassVar[int]
    DIVERSITY_FIELD_NUMBER: _ClassVar[int]
    EXCLUDE_OWNED_FIELD_NUMBER: _ClassVar[int]
    user: str
    candidates: Candidates
    k: int
    query: str
    context: _containers.ScalarMap[str, str]
    exclude_seen: bool
    min_state_version: int
    explain: bool
    as_of_us: int
    explore: Exploration
    diversity: float
    exclude_owned: bool
    def __init__(self, user: _Optional[str] = ..., candidates: _Optional[_Union[Candidates, _Mapping]] = ..., k: _Optional[int] = ..., query: _Optional[str] = ..., context: _Optional[_Mapping[str, str]] = ..., exclude_seen: bool = ..., min_state_version: _Optional[int] = ..., explain: bool = ..., as_of_us: _Optional[int] = ..., explore: _Optional[_Union[Exploration, _Mapping]] = ..., diversity: _Optional[float] = ..., exclude_owned: bool = ...) -> None: ...

class Contribution(_message.Message):
    __slots__ = ("event_id", "item", "signal", "occurred_at_us", "share", "value")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    SIGNAL_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_US_FIELD_NUMBER: _ClassVar[int]
    SHARE_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    item: str
    signal: str
    occurred_at_us: int
    share: float
    value: float
    def __init__(self, event_id: _Optional[str] = ..., item: _Optional[str] = ..., signal: _Optional[str] = ..., occurred_at_us: _Optional[int] = ..., share: _Optional[float] = ..., value: _Optional[float] = ...) -> None: ...

class Explanation(_message.Message):
    __slots__ = ("offset", "slow", "fast", "query", "contributions", "near", "repeat")
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    SLOW_FIELD_NUMBER: _ClassVar[int]
    FAST_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    CONTRIBUTIONS_FIELD_NUMBER: _ClassVar[int]
    NEAR_FIELD_NUMBER: _ClassVar[int]
    REPEAT_FIELD_NUMBER: _ClassVar[int]
    offset: float
    slow: float
    fast: float
    query: float
    contributions: _containers.RepeatedCompositeFieldContainer[Contribution]
    near: float
    repeat: float
    def __init__(self, offset: _Optional[float] = ..., slow: _Optional[float] = ..., fast: _Optional[float] = ..., query: _Optional[float] = ..., contributions: _Optional[_Iterable[_Union[Contribution, _Mapping]]] = ..., near: _Optional[float] = ..., repeat: _Optional[float] = ...) -> None: ...

class RankedItem(_message.Message):
    __slots__ = ("id", "score", "explanation", "propensity")
    ID_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_FIELD_NUMBER: _ClassVar[int]
    PROPENSITY_FIELD_NUMBER: _ClassVar[int]
    id: str
    score: float
    explanation: Explanation
    propensity: float
    def __init__(self, id: _Optional[str] = ..., score: _Optional[float] = ..., explanation: _Optional[_Union[Explanation, _Mapping]] = ..., propensity: _Optional[float] = ...) -> None: ...

class RankReply(_message.Message):
    __slots__ = ("recommendation_id", "items", "unknown_candidates", "state_version", "catalog_version", "encoder_version", "cold_start", "explored", "propensity_estimated", "explorations_left", "degraded")
    RECOMMENDATION_ID_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    STATE_VERSION_FIELD_NUMBER: _ClassVar[int]
    CATALOG_VERSION_FIELD_NUMBER: _ClassVar[int]
    ENCODER_VERSION_FIELD_NUMBER: _ClassVar[int]
    COLD_START_FIELD_NUMBER: _ClassVar[int]
    EXPLORED_FIELD_NUMBER: _ClassVar[int]
    PROPENSITY_ESTIMATED_FIELD_NUMBER: _ClassVar[int]
    EXPLORATIONS_LEFT_FIELD_NUMBER: _ClassVar[int]
    DEGRADED_FIELD_NUMBER: _ClassVar[int]
    recommendation_id: str
    items: _containers.RepeatedCompositeFieldContainer[RankedItem]
    unknown_candidates: _containers.RepeatedScalarFieldContainer[str]
    state_version: int
    catalog_version: int
    encoder_version: str
    cold_start: bool
    explored: bool
    propensity_estimated: bool
    explorations_left: int
    degraded: bool
    def __init__(self, recommendation_id: _Optional[str] = ..., items: _Optional[_Iterable[_Union[RankedItem, _Mapping]]] = ..., unknown_candidates: _Optional[_Iterable[str]] = ..., state_version: _Optional[int] = ..., catalog_version: _Optional[int] = ..., encoder_version: _Optional[str] = ..., cold_start: bool = ..., explored: bool = ..., propensity_estimated: bool = ..., explorations_left: _Optional[int] = ..., degraded: bool = ...) -> None: ...
