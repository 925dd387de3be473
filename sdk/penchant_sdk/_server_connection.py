"""One gRPC channel of a client: its methods, whether it is connected, its calls, and its age."""

from __future__ import annotations

import random
import threading
import time
from typing import Any

import grpc
import grpc.aio

from penchant_sdk._channel import Stubs, stubs

AGE_SPREAD = 0.1
"""A connection's age may differ from the setting by this share, as gRPC's MAX_CONNECTION_AGE."""

WATCH_S = 0.5
"""Longest wait for a thread that watches a channel."""


class ServerConnection:
    """A channel and what is known of it; its owner holds a lock where it must be thread-safe."""

    __slots__ = ("_ask", "_state", "_watchers", "calls", "channel", "old_s", "stubs")

    def __init__(self, channel: Any, longest_s: float | None) -> None:
        """Takes a channel, which is not connected yet.

        Args:
            channel: a `grpc.Channel` or a `grpc.aio.Channel`.
            longest_s: the age in seconds at which another connection should replace this one,
                give or take a tenth; None: never.
        """
        self.channel = channel
        self.stubs: Stubs = stubs(channel)
        self.calls = 0
        """Calls under way, counted where connections are replaced."""
        spread = random.uniform(1.0 - AGE_SPREAD, 1.0 + AGE_SPREAD)
        self.old_s = None if longest_s is None else time.monotonic() + longest_s * spread
        """When another connection should replace this one, by the monotonic clock."""
        # An asyncio channel can be asked for its state; another one tells of its changes.
        self._ask = getattr(channel, "get_state", None)
        self._state = grpc.ChannelConnectivity.IDLE
        self._watchers: list[threading.Thread] | None = None

    def state(self) -> grpc.ChannelConnectivity:
        """The channel's state; from the first call on, it connects by itself.

        A channel of threads has a thread from then on, which waits for changes.
        """
        if self._ask is not None:
            found: grpc.ChannelConnectivity = self._ask(try_to_connect=True)
            return found
        if self._watchers is None:
            before = set(threading.enumerate())
            self.channel.subscribe(self._changed, try_to_connect=True)
            new = [one for one in threading.enumerate() if one not in before]
            self._watchers = [one for one in new if one.daemon]
        return self._state

    def unwatch(self) -> None:
        """Ends the thread that waits for changes, which would fail if its channel were closed.

        Cost: gRPC's thread looks every 0.2 s whether anybody still waits.
        """
        if self._watchers is not None:
            self.channel.unsubscribe(self._changed)
            for one in self._watchers:
                # One of somebody else may be among them, and may be the one that calls this.
                if one is not threading.current_thread():
                    one.join(WATCH_S)

    def old(self) -> bool:
        """Whether another connection should replace this one."""
        return self.old_s is not None and time.monotonic() >= self.old_s

    def _changed(self, state: grpc.ChannelConnectivity) -> None:
        self._state = state
