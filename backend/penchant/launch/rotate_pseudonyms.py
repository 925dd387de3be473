"""Gives every user of a store the name that one more key makes, or pseudonyms instead of ids.

Nobody needs to know the ids: a stored name takes the next key as it is. A kill costs nothing, since
each name tells how many keys it has been through, and the same command goes on.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from functools import partial
from typing import Annotated

from penchant.domain.errors import ConfigError
from penchant.domain.pseudonyms import fingerprint
from penchant.launch.model_parameters import DEFAULT_STORE
from penchant.launch.move_turns import servers_stopped, settle_operands
from penchant.launch.server_store import ServerSettings, ServerStore, open_server_store
from penchant.server.kept_settings import keep
from penchant.server.tenants import tenant_stores
from penchant.store.address import is_network
from penchant.store.base import Transaction
from penchant.store.lmdb import LmdbStore
from penchant.store.name_keys import NameKeys, found_name_keys, write_name_keys
from penchant.store.network_store import in_network
from penchant.store.renamed_users import names_before, rename_other_contributions, rename_user
from penchant.store.ship_notes import read_shipping
from penchant.store.short_transactions import in_short_transactions
from penchant.system.option_types import STORE_IN_USE, Pairs
from penchant.system.progress import Progress, no_progress
from penchant.system.pseudonym_keys import read_pseudonym_keys
from penchant.system.redacted_address import redacted

_SETTING = frozenset({"pseudonym_keys"})


@dataclass(frozen=True, slots=True)
class RotatePseudonymsRequest:
    """The store, whose servers must be stopped."""

    _: KW_ONLY
    store: Annotated[str, STORE_IN_USE] = DEFAULT_STORE
    """Store of the server: lmdb:DIRECTORY or valkey://…/NAMESPACE."""
    settings: ServerSettings = ()
    """A setting, if it is not the one that the server keeps in the store; repeatable. The first
    time, `pseudonym_keys=file:/PATH`."""


@dataclass(frozen=True, slots=True)
class RotatedPseudonyms:
    """The outcome of a rotation."""

    keys: int
    """Keys that every name has been through now."""
    new_keys: int
    """Those of them that this run applied, or finished to apply."""
    names: int
    """Users and tombstones that this run renamed, once for each key."""
    kept_before: bool = False
    """Whether files of the store's own servers still hold the names of before."""


def rotate_pseudonyms(
    request: RotatePseudonymsRequest, progress: Progress = no_progress
) -> RotatedPseudonyms:
    """Brings the names of a store up to the keys of the setting `pseudonym_keys`.

    A store of plain ids gets pseudonyms; one of pseudonyms takes the keys that were added at the
    end of the file. The file of one in LMDB is rewritten in the end, so that no old name is left on
    free pages; of one in Valkey, its operator has that done.

    Raises:
        ConfigError: there is no store, no key, or the keys that the store has been through are not
            the first ones of the setting.
        StoreUnavailable: a server or another job uses the store, or it can't be written; run it
            again.
    """
    done = [_rotate_at(request.store, request.settings, progress)]
    for address in tenant_stores(request.store):  # They have the server's keys, too.
        done.append(_rotate_at(address, request.settings, progress))
    names = sum(one.names for one in done)
    kept_before = bool(names) and is_network(request.store)
    return RotatedPseudonyms(done[0].keys, max(one.new_keys for one in done), names, kept_before)


def _rotate_at(address: str, settings: Pairs, progress: Progress) -> RotatedPseudonyms:
    with open_server_store(address, settings, may_differ=_SETTING) as server:
        keys = read_pseudonym_keys(server.config.pseudonym_keys)
        if not keys:
            raise ConfigError(
                "pseudonym_keys: got none, expected where the keys are; --set "
                "pseudonym_keys=file:/PATH, with a key that `penchant pseudonyms new-key` prints"
            )
        job = "`penchant pseudonyms rotate`"
        with servers_stopped("--store", server.config.store, server.store, job):
            settle_operands(server.store, whole=True)
            result = _rotate(server, keys, progress)
            if server.store.shared:
                in_network(server.store).forget_settled()
        if result.names and isinstance(server.store, LmdbStore):
            progress("Compacting the store", 0.0)
            server.store.compact()
            progress("Compacting the store", 1.0)
        return result


def _rotate(server: ServerStore, keys: tuple[bytes, ...], progress: Progress) -> RotatedPseudonyms:
    store = server.store
    given = tuple(map(fingerprint, keys))
    with store.snapshot() as snapshot:
        chain = found_name_keys(snapshot, given) or NameKeys()
        shipping = read_shipping(snapshot)
    if shipping is not None and len(chain.applied) < len(keys):
        raise ConfigError(
            f"pseudonym_keys: this store ships its log to {redacted(shipping.url)}, whose files "
            "bear the present names; end that with `penchant ship --end`, rotate, and ship to a "
            "new place"
        )
    next_one = given[len(chain.applied) : len(chain.applied) + 1]
    if given[: len(chain.applied)] != chain.applied or (
        chain.under_way and next_one != (chain.under_way,)
    ):
        raise ConfigError(
            f"pseudonym_keys: got {len(keys)} keys, expected first the {len(chain.applied)} that "
            "the names in the store have been through, oldest first, then the new ones; names "
            "without their keys can't be found again"
        )
    names = 0
    for place in range(len(chain.applied), len(keys)):
        server.audit.add("rotate_pseudonyms", given[place], f"key {place + 1}")
        with store.transaction() as transaction:
            write_name_keys(transaction, NameKeys(given[:place], given[place]))
        with store.snapshot() as snapshot:
            users = names_before(snapshot, place + 1)
        work = partial(_rename, key=keys[place])
        in_short_transactions(store, users, work, progress, f"Applying key {place + 1}")
        with store.transaction() as transaction:
            rename_other_contributions(transaction, place + 1, keys[place])
            write_name_keys(transaction, NameKeys(given[: place + 1]))
        names += len(users)
    keep(store, server.config, _SETTING)
    return RotatedPseudonyms(len(keys), len(keys) - len(chain.applied), names)


def _rename(transaction: Transaction, user: str, key: bytes) -> None:
    rename_user(transaction, user, key)
