"""Runs commands on the servers of one address: one pipeline a node, within a deadline.

Connections, their protocol, TLS and log-in are the library's. Its own pipeline over a cluster takes
five times as long, waits for each node without a common deadline, and can't keep a WAIT on the
connection of the writes that it vouches for; hence this one, which

- sends to every node before it reads from any,
- follows MOVED and ASK, and looks again who serves what after a lost connection or a failover,
- sends again what got no reply, since every function here may be sent twice,
- answers for each command by itself, so that one node that is away fails what lies there alone.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from penchant.domain.errors import StoreUnavailable
from penchant.store.valkey.server_functions import LIBRARY
from penchant.store.valkey.server_links import (
    Node,
    ServerLink,
    ServerLinks,
    fewer_text,
    names_of,
    no_answer,
    refusal,
)
from penchant.store.valkey.valkey_address import ValkeyAddress
from penchant.system.optional_package import needs_extra

log = logging.getLogger("penchant")

SLOTS = 16384
_READ_BYTES = 14 << 10
_TOGETHER = 1024
"""Commands of one pipeline, which has the time limit for itself."""
_LONG_BYTES, _BYTES_A_SECOND = 1 << 20, 8 << 20
"""What is longer to send has more time, as if it went so fast."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.005, 0.05
_AWAY_S, _LONGEST_AWAY_S = 1.0, 8.0
"""For this long after a node let a deadline pass, calls to it are tried once, and briefly. It
doubles each time, since whoever calls with users of other nodes waits with those of this one."""
_BRIEFLY_S = 0.1


class ServerCommand(NamedTuple):
    """A command, and the key that says which node it goes to."""

    key: bytes
    words: Sequence[bytes]


class _Sent(NamedTuple):
    node: Node
    link: ServerLink
    numbers: list[int]


@dataclass(slots=True)
class _Run:
    """One call of `run`."""

    commands: Sequence[ServerCommand]
    durable: bool
    wait: int
    """Replicas to wait for; 0: none."""
    deadline: float
    replies: list[Any]
    left: list[int]
    """Numbers of the commands without a reply."""
    again: list[int] = field(default_factory=list)
    """Those that are sent again."""
    asked: dict[int, Node] = field(default_factory=dict)
    """Nodes that are asked once, while a slot is moved there."""
    lost: set[Node] = field(default_factory=set)
    """Nodes whose connection was lost."""
    tried: bool = False
    """Whether all were sent once."""

    def fail(self, numbers: Sequence[int], error: StoreUnavailable) -> None:
        for number in numbers:
            self.replies[number] = StoreUnavailable(str(error), silent=error.silent)


class ValkeyNodes:
    """The servers of one address; its methods may be called from several threads."""

    def __init__(self, address: ValkeyAddress) -> None:
        """Looks for the servers.

        Raises:
            ConfigError: the client library is not installed, or a file of the address can't be
                used.
            StoreUnavailable: none of them answers.
        """
        self._links = ServerLinks(address)
        with needs_extra("a store on Valkey", "valkey"):
            import valkey.crc
            import valkey.exceptions
        self._slot_of = valkey.crc.key_slot
        self._errors = valkey.exceptions
        self._lost = (valkey.exceptions.ConnectionError, valkey.exceptions.TimeoutError, OSError)
        self._address = address
        self._timeout_s = address.timeout_ms / 1000
        self._away: dict[Node, tuple[float, float]] = {}
        """Nodes that let a deadline pass: when, and for how long that counts."""
        self._closed = False
        self.is_cluster = False
        self._served: list[Node | None] = [None] * SLOTS
        """The primary of each slot."""
        deadline = time.monotonic() + self._timeout_s
        while not self._look(deadline):
            if time.monotonic() > deadline:
                raise StoreUnavailable(
                    self._links.refusal(address.hosts)
                    or f"store: got no answer from {names_of(address.hosts)} within "
                    f"{address.timeout_ms} ms; is the server up, and the address right?",
                    silent=True,
                )
            time.sleep(_LONGEST_PAUSE_S)
        for node in self.primaries:
            self._load(node)

    @property
    def waits(self) -> bool:
        """Whether commits wait for replicas."""
        return self._address.wait > 0

    @property
    def primaries(self) -> list[Node]:
        """The nodes that serve slots."""
        return sorted({node for node in self._served if node is not None})

    def ask(self, node: Node, *words: bytes) -> Any:
        """The reply of one node to a command.

        Raises:
            StoreUnavailable: it gives none, or an error.
        """
        try:
            link = self._links.take(node, time.monotonic() + self._timeout_s)
            try:
                reply = self._replied(link, *words)
            finally:
                self._links.give(node, link)
        except self._lost as error:
            raise self._no_answer([node]) from error
        except self._errors.ResponseError as error:
            raise StoreUnavailable(refusal(error)) from error
        return reply

    def run(self, commands: Sequence[ServerCommand], *, durable: bool = False) -> list[Any]:
        """The reply to each command; a StoreUnavailable in the place of one that has none.

        Args:
            commands: each may be sent twice, in no order. Many go out in several pipelines, and a
                long one has time for its length, so that it does not seem to have no answer.
            durable: whether they are commits, which the replicas that the address asks for must
                have as well.
        """
        if len(commands) <= _TOGETHER:
            return self._run(commands, durable)
        parts = [commands[at : at + _TOGETHER] for at in range(0, len(commands), _TOGETHER)]
        return [reply for part in parts for reply in self._run(part, durable)]

    def _run(self, commands: Sequence[ServerCommand], durable: bool) -> list[Any]:
        wait = self._address.wait if durable else 0
        timeout_s = self._timeout_s + (self._address.wait_ms / 1000 if wait else 0)
        deadline, size = time.monotonic() + timeout_s, len(commands)
        run = _Run(commands, durable, wait, deadline, [None] * size, list(range(size)))
        pause_s = _FIRST_PAUSE_S
        while run.left:
            for sent in self._send(run):
                self._read(run, sent)
            run.left, run.again = sorted(run.again), []
            run.tried, now = True, time.monotonic()
            if run.left and (now >= run.deadline or self._closed):
                for node in run.lost:
                    _, lasted_s = self._away.get(node, (0.0, _AWAY_S / 2))
                    self._away[node] = now, min(2 * lasted_s, _LONGEST_AWAY_S)
                run.fail(run.left, self._no_answer(run.lost))
                break
            if run.left and not run.asked:
                time.sleep(min(pause_s, run.deadline - now))
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
                try:
                    self._look(run.deadline)
                except StoreUnavailable as error:  # What was answered stays answered.
                    run.fail(run.left, error)
                    break
            run.lost.clear()
        return run.replies

    def close(self) -> None:
        """Closes all idle connections; no call may follow."""
        self._closed = True
        self._links.close()

    def _send(self, run: _Run) -> list[_Sent]:
        """Sends commands to their nodes; those that can't be sent are added to `again`."""
        by_node: defaultdict[Node, list[int]] = defaultdict(list)
        for number in run.left:
            slot = self._slot_of(run.commands[number].key) if self.is_cluster else 0
            node = run.asked.get(number) or self._served[slot]
            if node is None:
                run.again.append(number)
            else:
                by_node[node].append(number)
        sent = []
        for node, mine in self._bundles(run, by_node):
            words: list[Sequence[bytes]] = []
            for number in mine:
                if number in run.asked:
                    words.append((b"ASKING",))
                words.append(run.commands[number].words)
            if run.wait:
                words.append((b"WAIT", b"%d" % run.wait, b"%d" % self._address.wait_ms))
            try:
                link = self._links.take(node, self._deadline_of(node, run.deadline))
                packed = link.pack_commands(words)
                length = sum(map(len, packed))
                if length > _LONG_BYTES:
                    if not run.tried:
                        run.deadline += length / _BYTES_A_SECOND
                    self._links.limit(link, self._deadline_of(node, run.deadline))
                link.send_packed_command(packed)
            except self._lost:
                self._forget(run, node, mine)
            except self._errors.ResponseError as error:  # At the log-in.
                run.fail(mine, StoreUnavailable(refusal(error)))
            else:
                sent.append(_Sent(node, link, mine))
        return sent

    def _bundles(
        self, run: _Run, by_node: Mapping[Node, list[int]]
    ) -> Iterator[tuple[Node, list[int]]]:
        """What goes out on one connection: all of a node, or as much as it reads in one go.

        A server that syncs its log before it answers does so after each read of 16 kB from a
        connection. It reads from all connections that have something before it syncs.
        """
        for node, numbers in by_node.items():
            if not run.durable:
                yield node, numbers
                continue
            bundle: list[int] = []
            size = 0
            for number in numbers:
                length = sum(map(len, run.commands[number].words))
                if bundle and size + length > _READ_BYTES:
                    yield node, bundle
                    bundle, size = [], 0
                bundle.append(number)
                size += length
            yield node, bundle

    def _read(self, run: _Run, sent: _Sent) -> None:
        """Reads the replies of one node."""
        node, link, numbers = sent
        done: list[int] = []
        try:
            self._links.limit(link, self._deadline_of(node, run.deadline))
            for number in numbers:
                if run.asked.pop(number, None) is not None:
                    link.read_response()
                try:
                    run.replies[number] = link.read_response()
                except self._errors.ResponseError as error:
                    if self._goes_on(error, node, number, run):
                        run.again.append(number)
                    else:
                        run.fail([number], StoreUnavailable(refusal(error)))
                done.append(number)
            if run.wait and link.read_response() < run.wait:
                replied = [one for one in numbers if not _is_error(run.replies[one])]
                replied = [one for one in replied if one not in run.again]
                run.fail(replied, StoreUnavailable(fewer_text(run.wait, self._address.wait_ms)))
        except self._lost:
            link.disconnect()
            # Of what was answered, it is not known whether a replica has it.
            unsure = numbers if run.wait else numbers[len(done) :]
            self._forget(run, node, [one for one in unsure if one not in run.again])
        except self._errors.ResponseError as error:  # To ASKING or WAIT.
            link.disconnect()
            unanswered = numbers if run.wait else numbers[len(done) :]
            run.fail(unanswered, StoreUnavailable(refusal(error)))
        else:
            self._away.pop(node, None)
            self._links.give(node, link)

    def _forget(self, run: _Run, node: Node, numbers: Sequence[int]) -> None:
        """Has commands sent again whose connection was lost, unless their node has been away."""
        self._links.drop(node)
        if self._is_away(node):
            with contextlib.suppress(StoreUnavailable):  # These have no answer all the same.
                self._look(min(run.deadline, time.monotonic() + _BRIEFLY_S))
            run.fail(numbers, self._no_answer([node]))
        else:
            run.lost.add(node)
            run.again += numbers

    def _goes_on(self, error: Exception, node: Node, number: int, run: _Run) -> bool:
        """Whether a command is sent again after an error, and prepares for it."""
        text = str(error)
        kind, *rest = text.split()
        if kind in ("MOVED", "ASK") and len(rest) == 2:
            host, _, port = rest[1].rpartition(":")
            other = host or node[0], int(port)
            if kind == "ASK":
                run.asked[number] = other
            else:
                self._served[int(rest[0])] = other
            return True
        if "unction not found" in text:
            return self._load(node)
        passing = ("TRYAGAIN", "CLUSTERDOWN", "LOADING", "MASTERDOWN", "READONLY", "UNBLOCKED")
        transient = (
            self._errors.TryAgainError,
            self._errors.ClusterDownError,
            self._errors.MasterDownError,
            self._errors.ReadOnlyError,
        )
        return isinstance(error, transient) or text.startswith(passing)

    def _load(self, node: Node) -> bool:
        """Loads the functions at a node; False: it refuses."""
        try:
            link = self._links.take(node, time.monotonic() + self._timeout_s)
            try:
                self._replied(link, b"FUNCTION", b"LOAD", LIBRARY.encode())
            except self._errors.ResponseError as error:
                if "already exists" not in str(error):
                    log.error("the functions of the store can't be loaded: %s", error)
                    return False
            self._links.give(node, link)
        except self._lost:
            return False
        return True

    def _no_answer(self, nodes: Iterable[Node]) -> StoreUnavailable:
        """The error of a command to one of some nodes; TLS may be why none answers."""
        refused = self._links.refusal(nodes)
        if refused:
            return StoreUnavailable(refused, silent=True)
        return no_answer(self._address.timeout_ms)

    def _deadline_of(self, node: Node, deadline: float) -> float:
        if self._is_away(node):
            return min(deadline, time.monotonic() + _BRIEFLY_S)
        return deadline

    def _is_away(self, node: Node) -> bool:
        since_s, lasts_s = self._away.get(node, (0.0, 0.0))
        return bool(lasts_s) and time.monotonic() - since_s < lasts_s

    def _look(self, deadline: float) -> bool:
        """Finds out who serves what; False: nobody says it."""
        known = [node for node in dict.fromkeys(self._served) if node is not None]
        for node in dict.fromkeys([*known, *self._address.hosts]):
            if self._is_away(node):
                continue
            try:
                if self._look_at(node, deadline):
                    return True
            except self._errors.AuthenticationError as error:  # To the library, a lost connection.
                raise StoreUnavailable(refusal(error)) from error
            except self._lost:
                continue
            except self._errors.ResponseError as error:
                raise StoreUnavailable(refusal(error)) from error
            if time.monotonic() > deadline:
                break
        return False

    def _look_at(self, node: Node, deadline: float) -> bool:
        link = self._links.take(node, min(deadline, time.monotonic() + 5 * _BRIEFLY_S))
        try:
            found = self._served_by(node, link)
        except BaseException:
            link.disconnect()
            raise
        self._links.give(node, link)
        if found is not None:
            self._served = found
        return found is not None

    def _served_by(self, node: Node, link: ServerLink) -> list[Node | None] | None:
        """The primary of each slot, as a node sees it; None: it knows of none."""
        self.is_cluster = b"cluster_enabled:1" in self._replied(link, b"INFO", b"cluster")
        if not self.is_cluster:
            role, *rest = self._replied(link, b"ROLE")
            primary = node if role == b"master" else (rest[0].decode(), int(rest[1]))
            return [primary] * SLOTS
        served: list[Node | None] = [None] * SLOTS
        ranges = self._replied(link, b"CLUSTER", b"SLOTS")
        for first, last, (host, port, *_), *_ in ranges:
            primary = (host.decode() if host else node[0], port)
            served[first : last + 1] = [primary] * (last + 1 - first)
        return served if ranges else None

    def _replied(self, link: ServerLink, *words: bytes) -> Any:
        link.send_packed_command(link.pack_commands([words]))
        return link.read_response()


def _is_error(reply: object) -> bool:
    return isinstance(reply, StoreUnavailable)
