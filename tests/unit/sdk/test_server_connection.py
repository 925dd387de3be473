"""A connection of a client: its thread that waits for changes ends before its channel is closed."""

from __future__ import annotations

import threading

import grpc

from penchant_sdk._server_connection import ServerConnection


def test_no_thread_watches_a_channel_that_is_closed() -> None:
    """gRPC's own fails with a traceback if it finds its channel closed in the wrong moment."""
    connection = ServerConnection(grpc.insecure_channel("127.0.0.1:1"), longest_s=None)
    assert connection.state() in grpc.ChannelConnectivity
    assert connection._watchers
    connection.unwatch()
    assert not any(one.is_alive() for one in connection._watchers)
    connection.channel.close()


def test_a_thread_that_was_started_meanwhile_may_close_the_connection() -> None:
    connection = ServerConnection(grpc.insecure_channel("127.0.0.1:1"), longest_s=None)
    connection.state()
    assert connection._watchers
    connection._watchers.append(threading.current_thread())
    connection.unwatch()
    connection.channel.close()


def test_a_connection_that_nobody_asked_has_no_watcher() -> None:
    connection = ServerConnection(grpc.insecure_channel("127.0.0.1:1"), longest_s=None)
    connection.unwatch()
    assert connection._watchers is None
    connection.channel.close()
