"""The edge where callers' names of users become the store's, and nowhere else.

Each wraps the check of a method, so that limits hold for what the caller sent; what replies and
errors say of a user is again what the caller called that user (`StoredName`).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from penchant.domain.errors import ConfigError
from penchant.domain.pseudonyms import StoredName, fingerprint, pseudonym
from penchant.domain.reservations import ReserveRequest
from penchant.domain.types import Event
from penchant.service.event_results import FeedbackRequest
from penchant.service.merge_users import MergeUsersRequest
from penchant.service.rank import RankRequest
from penchant.service.users import ExportUserRequest
from penchant.store.base import Store
from penchant.store.conflict_retries import in_transaction
from penchant.store.name_keys import NameKeys, found_name_keys, write_name_keys
from penchant.store.users import any_user

_Named = TypeVar("_Named", RankRequest, ReserveRequest)

CACHED_NAMES = 16_384
"""Users whose names a process remembers; another one costs a few microseconds."""


class UserNames:
    """Turns names by a chain of keys; without keys, they stay as they are, at no cost."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = tuple(keys)
        self._stored = functools.lru_cache(CACHED_NAMES)(self._name)

    def _name(self, user: str) -> str:
        return StoredName(pseudonym(user, self._keys), user)

    @property
    def stored(self) -> Callable[[str], str] | None:
        """From a caller's name of a user to the store's; None: they are the same."""
        return self._stored if self._keys else None

    def of_user(self, check: Callable[[str], str]) -> Callable[[str], str]:
        """The check of a request that is a user."""
        return (lambda user: self._stored(check(user))) if self._keys else check

    def of_named(self, check: Callable[[_Named], _Named]) -> Callable[[_Named], _Named]:
        """The check of a request to rank or to reserve."""
        if not self._keys:
            return check

        def renamed(request: _Named) -> _Named:
            request = check(request)
            return replace(request, user=self._stored(request.user))

        return renamed

    def of_feedback(
        self, check: Callable[[FeedbackRequest], FeedbackRequest]
    ) -> Callable[[FeedbackRequest], FeedbackRequest]:
        """The check of a call of events; refused ones keep their words."""
        if not self._keys:
            return check

        def renamed(request: FeedbackRequest) -> FeedbackRequest:
            return FeedbackRequest(
                tuple(
                    replace(event, user=self._stored(event.user))
                    if isinstance(event, Event)
                    else event
                    for event in check(request).events
                )
            )

        return renamed

    def of_export(
        self, check: Callable[[ExportUserRequest], ExportUserRequest]
    ) -> Callable[[ExportUserRequest], ExportUserRequest]:
        """The check of a page of an export."""
        if not self._keys:
            return check

        def renamed(request: ExportUserRequest) -> ExportUserRequest:
            request = check(request)
            user = self._stored(request.user)
            kept = None if request.kept is None else replace(request.kept, user=user)
            return replace(request, user=user, kept=kept)

        return renamed

    def of_merge(
        self, check: Callable[[MergeUsersRequest], MergeUsersRequest]
    ) -> Callable[[MergeUsersRequest], MergeUsersRequest]:
        """The check of a merge."""
        if not self._keys:
            return check

        def renamed(request: MergeUsersRequest) -> MergeUsersRequest:
            request = check(request)
            names = self._stored(request.from_user), self._stored(request.to_user)
            return MergeUsersRequest(*names)

        return renamed


def agreed_names(store: Store, keys: Sequence[bytes], *, writes: bool) -> UserNames:
    """The names of users in a store, which must have been made by these keys.

    Args:
        store: the store; the chain of a new one is noted.
        keys: the chain, oldest first; empty: ids are stored as they come.
        writes: whether this process may write to the store.

    Raises:
        ConfigError: the store holds plain ids, or pseudonyms of other keys.
    """
    given = tuple(map(fingerprint, keys))
    with store.snapshot() as snapshot:
        kept = found_name_keys(snapshot, given)
        holds_plain = kept is None and any_user(snapshot)
    applied = () if kept is None else kept.applied
    if kept is not None and kept.under_way:
        raise ConfigError(
            "pseudonym_keys: a change of keys is under way; run `penchant pseudonyms rotate` "
            "again, which goes on where it stopped"
        )
    if given != applied and (applied or holds_plain):
        had = f"{len(applied)} keys" if applied else "plain ids"
        raise ConfigError(
            f"pseudonym_keys: got {len(given)} keys, expected those of the store, which has {had}: "
            "set it to where they are, oldest first; to add a key, stop the server and run "
            "`penchant pseudonyms rotate`"
        )
    if writes and given and kept != NameKeys(given):
        in_transaction(store, lambda transaction: write_name_keys(transaction, NameKeys(given)))
    return UserNames(keys)
