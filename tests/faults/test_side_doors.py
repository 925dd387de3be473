"""Only calls of Penchant's models come through; Triton's other protocols need serve's key."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator

import psutil
import pytest
from tritonclient import grpc as triton_grpc
from tritonclient.utils import InferenceServerException

from penchant.launch.triton_arguments import GRPC_HEADER
from tests.support.serve_process import ServeProcess, serving

pytestmark = [pytest.mark.server, pytest.mark.usefixtures("foreign_clients_direct")]

Door = Callable[[triton_grpc.InferenceServerClient, dict[str, str]], object]

DOORS: dict[str, Door] = {
    "shared memory": lambda client, headers: client.register_system_shared_memory(
        "mine", "/anything", 64, headers=headers
    ),
    "regions of others": lambda client, headers: client.get_system_shared_memory_status(
        headers=headers
    ),
    "logging": lambda client, headers: client.update_log_settings(
        {"log_verbose_level": 1}, headers=headers
    ),
    "tracing": lambda client, headers: client.get_trace_settings(headers=headers),
    "loading": lambda client, headers: client.load_model("penchant_rank", headers=headers),
    "paths": lambda client, headers: client.get_model_config("penchant_rank", headers=headers),
    "statistics": lambda client, headers: client.get_inference_statistics(headers=headers),
}
HTTP_DOORS = (
    "v2/systemsharedmemory/status",
    "v2/logging",
    "v2/trace/setting",
    "v2/models/penchant_rank/config",
    "v2/models/penchant_rank/stats",
)


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServeProcess]:
    with serving(tmp_path_factory.mktemp("public"), ["--host=0.0.0.0", "--insecure"]) as running:
        yield running


@pytest.fixture(scope="module")
def key(serve: ServeProcess) -> str:
    return (serve.files / "admin-key").read_text().strip()


@pytest.mark.parametrize("door", DOORS)
def test_a_side_door_of_grpc_is_closed_without_the_key(serve: ServeProcess, door: str) -> None:
    with triton_grpc.InferenceServerClient(serve.target) as client:
        with pytest.raises(InferenceServerException, match="protocol is restricted"):
            DOORS[door](client, {})
        with pytest.raises(InferenceServerException, match="protocol is restricted"):
            DOORS[door](client, {GRPC_HEADER: "guessed"})


@pytest.mark.parametrize("door", ["tracing", "paths", "statistics"])
def test_the_key_opens_it(serve: ServeProcess, key: str, door: str) -> None:
    with triton_grpc.InferenceServerClient(serve.target) as client:
        assert DOORS[door](client, {GRPC_HEADER: key})


@pytest.mark.parametrize("path", HTTP_DOORS)
def test_a_side_door_of_http_is_closed_without_the_key(
    serve: ServeProcess, key: str, path: str
) -> None:
    request = urllib.request.Request(f"{serve.said('HTTP')}/{path}")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    assert "restricted" in refused.value.read().decode()
    refused.value.close()
    request.add_header("admin-key", key)
    with urllib.request.urlopen(request) as reply:
        json.loads(reply.read())


def test_the_key_is_random(key: str) -> None:
    assert len(bytes.fromhex(key)) == 16


def test_only_grpc_is_public_and_a_warning_says_so(serve: ServeProcess) -> None:
    found = [
        (connection.laddr.ip, connection.laddr.port)
        for connection in serve.triton().net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    ]
    ports = {
        int(serve.said(name).removesuffix("/metrics").rpartition(":")[2]): name
        for name in ("gRPC", "HTTP", "metrics")
    }
    places = {ports[port]: ip for ip, port in found}
    assert places.pop("gRPC") in ("0.0.0.0", "::")
    assert places == {"HTTP": "127.0.0.1", "metrics": "127.0.0.1"}
    warnings = [line for line in serve.lines if line.startswith("Warning: ")]
    assert "other machines can reach grpc on 0.0.0.0" in warnings[0]
    assert "gRPC is not encrypted" in warnings[1]
