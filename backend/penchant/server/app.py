"""The composition root: builds the services of some Triton models, and the dispatch over them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from penchant.config import Config, audit_directory, catalog_directory, releases_directory
from penchant.domain.errors import ConfigError, PenchantError
from penchant.domain.types import Item
from penchant.encoder.base import Encoders
from penchant.server.audited import Audited
from penchant.server.dispatch import Dispatch, NativeVerb, Verb, one_by_one
from penchant.server.kept_settings import follow, keep
from penchant.server.masked_texts import masked_embed_request, masked_items, masked_rank
from penchant.server.plans import (
    delete_plan,
    embed_plan,
    export_plan,
    feedback_plan,
    forget_plan,
    get_items_plan,
    merge_plan,
    put_plan,
    rank_plan,
    reserve_plan,
)
from penchant.server.served_store import (
    ServedStore,
    empty_item_biases,
    guarded,
    read_item_biases,
    served_store,
    shared_files,
)
from penchant.server.store_use import use_store
from penchant.server.user_names import UserNames, agreed_names
from penchant.service.catalog import CatalogService, check_get, check_item_ids, check_items
from penchant.service.catalog_watch import CatalogWatch
from penchant.service.clock import Clock, SteplessClock
from penchant.service.clock_evidence import doubt_unseen, installed_us
from penchant.service.counts_follower import CountsFollower
from penchant.service.embed import EmbedService, check_embed
from penchant.service.event_results import FeedbackRequest, check_feedback
from penchant.service.feedback import FeedbackService
from penchant.service.mended_catalog import mend_catalog
from penchant.service.merge_users import check_merge
from penchant.service.meter import Meter
from penchant.service.rank import RankService, check_rank
from penchant.service.release_share import FetchingEncoders, ReleaseShare
from penchant.service.reserve import ReserveService, check_reserve
from penchant.service.user_interest import Catalogs
from penchant.service.users import UserService, check_export, check_user
from penchant.store.address import directory_of, is_network
from penchant.store.base import Store
from penchant.store.open import open_store
from penchant.store.server_claim import ServerClaim, this_server
from penchant.system.audit_log import AuditLog
from penchant.system.native_module import native_choice
from penchant.system.pseudonym_keys import read_pseudonym_keys
from penchant.wire.catalog import (
    delete_items_reply,
    get_items_reply,
    get_request,
    ids_request,
    put_items_reply,
    put_items_request,
)
from penchant.wire.embed import embed_reply, embed_request
from penchant.wire.feedback import feedback_reply, feedback_request
from penchant.wire.rank import rank_reply, rank_request
from penchant.wire.reserve import reserve_reply, reserve_request
from penchant.wire.users import (
    export_request,
    export_user_reply,
    forget_user_reply,
    get_user_reply,
    merge_users_reply,
    merge_users_request,
    user_request,
)
from penchant_proto.methods import METHODS, methods_of
from penchant_proto.v1.feedback_pb2 import FeedbackRequest as FeedbackMessage
from penchant_proto.v1.service_pb2 import Reply

WRITERS = frozenset(
    {"feedback", "reserve", "put_items", "delete_items", "forget_user", "merge_users"}
)
"""The methods that write to the store."""

Verbs = dict[str, Verb[Any, Any, Any]]


@dataclass(frozen=True, slots=True)
class App:
    """The methods of some Triton models over one store, in this process."""

    dispatch: Dispatch
    store: Store
    claim: ServerClaim | None = None
    """The server's claim on the store, held by models that write."""
    watch: CatalogWatch | None = None
    """Looks at the catalog's files; None where they are not read."""
    catalogs: Catalogs | None = None
    """The catalogs that it follows."""
    served: ServedStore | None = None
    """The store as its services use it."""

    def handle(self, payload: bytes) -> Reply | PenchantError:
        """Parses and answers one serialized call."""
        answer = self.dispatch.handle(payload)
        return Reply.FromString(answer) if isinstance(answer, bytes) else answer

    def close(self) -> None:
        """Closes the store and ends the claim on it."""
        if self.watch is not None:
            self.watch.close()
        if self.served is not None:
            self.served.close()
        self.store.close()
        if self.claim is not None:
            self.claim.close()


def build(
    models: Sequence[str],
    config: Config,
    encoders: Encoders,
    meter: Meter,
    clock: Clock | None = None,
    server_pid: int | None = None,
) -> App:
    """Builds the app that answers for some of the contract's Triton models in this process.

    Args:
        models: names of Triton models. A model in Triton passes its own, an evaluation all of them.
        config: the settings; the store's own, kept by its writer, stand in for those not given.
        encoders: the engines themselves in the encoder's model; in the others, a way to call it.
        meter: receives the measurements.
        clock: gives microseconds since 1970-01-01 UTC; None: the machine's, as `SteplessClock`.
        server_pid: process of the server that the models belong to; None: this process.

    Raises:
        ConfigError: an unknown model, or settings that contradict each other.
        StoreUnavailable: the store cannot be opened, or another server writes to it.
    """
    fields = frozenset[str]().union(*(methods_of(model) for model in models))
    if not fields:
        known = sorted({method.model for method in METHODS.values()})
        raise ConfigError(f"model: got {models}, expected some of: {', '.join(known)}")
    directory = catalog_directory(config)
    if directory is None:
        raise ConfigError(
            "catalog_dir: missing; a store in memory has no directory of its own, and one in "
            "Valkey needs a state_dir"
        )
    with ExitStack() as opened:  # What is open by then is closed if anything fails.
        claim = _claim(config, fields, server_pid or os.getpid())
        if claim is not None:
            opened.callback(claim.close)
        engine = open_store(config.store, map_bytes=config.store_map_bytes)
        try:
            use_store(
                config.store, engine, server_pid or os.getpid(), writes=bool(fields & WRITERS)
            )
        except BaseException:
            engine.close()
            raise
        store = guarded(engine, config, ranks="rank" in fields)
        opened.callback(store.close)
        app = _over(store, fields, config, directory, encoders, meter, clock, claim)
        opened.pop_all()
    return app


def _claim(config: Config, fields: frozenset[str], server_pid: int) -> ServerClaim | None:
    """The claim on the store for models that write to it; None for others."""
    place = directory_of(config.store)
    if place is None or not fields & WRITERS:
        return None
    return ServerClaim(place, this_server(server_pid))


def _over(
    store: Store,
    fields: frozenset[str],
    config: Config,
    directory: Path,
    encoders: Encoders,
    meter: Meter,
    clock: Clock | None,
    claim: ServerClaim | None,
) -> App:
    names = UserNames(())
    if fields != {"embed"}:  # Before anything is kept of settings that do not fit the store.
        keys = read_pseudonym_keys(follow(store, config).pseudonym_keys)
        names = agreed_names(store, keys, writes="feedback" in fields)
    config = keep(store, config) if "feedback" in fields else follow(store, config)
    began_us = 0 if clock is not None else installed_us()
    clock = clock or SteplessClock(meter)
    read_biases = partial(read_item_biases, store, config, clock)
    served = served_store(store, config, directory, read_biases, follows=fields != {"embed"})
    catalogs = served.catalogs
    watch = None
    if fields != {"embed"}:
        version = encoders.default.version
        for kind in mend_catalog(
            served.changing,
            directory,
            read_biases,
            encoder_version=version,
            complete=served.complete,
        ):
            meter.mended(kind)
        # One process reads all files now and then: that with the least to do.
        reads_all = "get_user" in fields
        if store.durable:
            watch = CatalogWatch(
                served.changing,
                catalogs,
                read_biases,
                meter,
                reads_all=reads_all,
                complete=served.complete,
            )
    releases = releases_directory(config)
    if is_network(config.store) and releases is not None:
        encoders = FetchingEncoders(encoders, ReleaseShare(shared_files(store, config), releases))
    verbs = _verbs(fields, config, served, encoders, meter, clock, began_us, names)
    place = directory_of(config.store)
    if "feedback" in fields and began_us and place is not None:
        doubt_unseen(store, clock(), place, meter)
    dispatch = Dispatch(verbs, config.limits.request_bytes)
    return App(dispatch, store, claim, watch, catalogs, served)


def _verbs(
    fields: frozenset[str],
    config: Config,
    served: ServedStore,
    encoders: Encoders,
    meter: Meter,
    clock: Clock,
    began_us: int,
    names: UserNames,
) -> Verbs:
    """The verbs of the models that have these fields; only their services are built."""
    verbs: Verbs = {}
    store, catalogs = served.store, served.catalogs
    audited = Audited(AuditLog(audit_directory(config)))
    if "rank" in fields:
        explorations = config.explorations_per_day
        service = RankService(store, catalogs, encoders, clock, meter, explorations)
        native = _native_rank(store, catalogs, clock, meter, config, names)
        verbs |= _rank(service, config, names, native)
    if "feedback" in fields:
        item_biases = empty_item_biases(config)
        feedback = FeedbackService(
            store, catalogs, config.signals, item_biases, clock, meter, began_us
        )
        if store.shared:
            served.followers.append(CountsFollower(feedback.follow))
        verbs |= _feedback(feedback, store, config, clock, names)
    if "reserve" in fields:
        verbs |= _reserve(ReserveService(store, catalogs, clock, meter), config, clock, names)
    if "put_items" in fields:
        verbs |= _catalog(CatalogService(served.changing, catalogs, encoders), config, audited)
    if "get_user" in fields:
        verbs |= _users(
            UserService(store, catalogs, config.signals, clock, empty_item_biases(config)),
            config,
            audited,
            names,
        )
    if "embed" in fields:
        verbs |= _embed(EmbedService(store, encoders), config)
    return verbs


def _native_rank(
    store: Store,
    catalogs: Catalogs,
    clock: Clock,
    meter: Meter,
    config: Config,
    names: UserNames,
) -> NativeVerb | None:
    """The compiled way of rank; None where NumPy runs."""
    if not native_choice().runs:
        return None
    from penchant.server.native_rank import NativeRank  # Where the module is, and fits.

    explorations = config.explorations_per_day
    return NativeRank(store, catalogs, clock, meter, explorations, config.limits, names.stored)


def _rank(
    service: RankService, config: Config, names: UserNames, native: NativeVerb | None
) -> Verbs:
    check = names.of_named(partial(check_rank, limits=config.limits))
    if config.mask_texts != "off":
        check = masked_rank(check)
    verb = Verb(
        rank_request,
        check,
        service.rank,
        rank_reply,
        rank_plan,
        service.in_slices,
        native=native,
    )
    return {"rank": verb}


def _feedback(
    service: FeedbackService, store: Store, config: Config, clock: Clock, names: UserNames
) -> Verbs:
    verb = Verb(
        lambda message: feedback_request(message, clock()),
        names.of_feedback(lambda request: check_feedback(request, clock(), config.limits)),
        service.feedback,
        feedback_reply,
        feedback_plan,
        service.in_slices,
    )
    native = _native_feedback(service, store, config, names, verb.accept)
    return {"feedback": replace(verb, native=native)}


def _native_feedback(
    service: FeedbackService,
    store: Store,
    config: Config,
    names: UserNames,
    accept: Callable[[FeedbackMessage], FeedbackRequest],
) -> NativeVerb | None:
    """The compiled way of feedback; None where NumPy runs."""
    if not native_choice().runs:
        return None
    from penchant.server.native_feedback import NativeFeedback  # Where the module is, and fits.
    from penchant.service.plain_feedback import PlainFeedback

    limits = config.limits
    plain = PlainFeedback(config.signals, config.offset_half_life_s, limits.future_s)
    return NativeFeedback(store, service, plain, limits, names.stored, accept, feedback_reply)


def _reserve(service: ReserveService, config: Config, clock: Clock, names: UserNames) -> Verbs:
    return {
        "reserve": Verb(
            reserve_request,
            names.of_named(lambda request: check_reserve(request, clock(), config.limits)),
            service.reserve,
            reserve_reply,
            reserve_plan,
        )
    }


def _catalog(service: CatalogService, config: Config, audited: Audited) -> Verbs:
    items: Callable[[Sequence[Item]], Sequence[Item]] = partial(check_items, limits=config.limits)
    ids = partial(check_item_ids, limits=config.limits)
    if config.mask_texts == "all":
        items = masked_items(items)
    get = partial(check_get, limits=config.limits)
    return {
        "put_items": Verb(
            put_items_request,
            items,
            one_by_one(service.put),
            put_items_reply,
            put_plan,
            service.put_in_slices,
        ),
        "delete_items": Verb(
            ids_request,
            ids,
            one_by_one(service.delete),
            delete_items_reply,
            delete_plan,
            audit=audited.delete_items,
        ),
        "get_items": Verb(
            get_request, get, one_by_one(service.get), get_items_reply, get_items_plan
        ),
    }


def _users(service: UserService, config: Config, audited: Audited, names: UserNames) -> Verbs:
    user = names.of_user(partial(check_user, limits=config.limits))
    page = names.of_export(partial(check_export, limits=config.limits))
    both = names.of_merge(partial(check_merge, limits=config.limits))
    return {
        "get_user": Verb(user_request, user, one_by_one(service.get), get_user_reply),
        "export_user": Verb(
            export_request,
            page,
            one_by_one(service.export),
            export_user_reply,
            export_plan,
            service.export_in_slices,
            audited.export,
        ),
        "forget_user": Verb(
            user_request,
            user,
            one_by_one(service.forget),
            forget_user_reply,
            forget_plan,
            audit=audited.forget,
        ),
        "merge_users": Verb(
            merge_users_request,
            both,
            one_by_one(service.merge),
            merge_users_reply,
            merge_plan,
            audit=audited.merge,
        ),
    }


def _embed(service: EmbedService, config: Config) -> Verbs:
    check = partial(check_embed, limits=config.limits)
    read = embed_request if config.mask_texts == "off" else masked_embed_request
    verb = Verb(read, check, service.embed, embed_reply, embed_plan, service.in_slices)
    return {"embed": verb}
