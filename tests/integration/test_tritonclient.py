"""Penchant through plain `tritonclient` and curl, as the reference shows it."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import uuid
from base64 import b64decode, b64encode
from pathlib import Path

import grpc
import pytest
from google.protobuf import json_format
from tritonclient.grpc import service_pb2, service_pb2_grpc
from tritonclient.utils import InferenceServerException

from examples.tritonclient_rank import like, put, rank, sender
from penchant.launch import Server
from penchant_proto.local_targets import proxy_options
from penchant_proto.v1.service_pb2 import Call, Reply
from tests.architecture.source_tree import ROOT

pytestmark = [pytest.mark.server, pytest.mark.usefixtures("foreign_clients_direct")]

PAGE = (ROOT / "docs" / "reference" / "any-language.md").read_text()


def address(server: Server, protocol: str) -> str:
    """HOST:PORT of the endpoint of a protocol."""
    return server.target if protocol == "grpc" else server.http_url.removeprefix("http://")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def shell(script: str, server: Server, directory: Path) -> str:
    """Runs a block of the page, with the server's addresses and this environment's Python."""
    script = script.replace("localhost:8000", address(server, "http"))
    script = script.replace("python -m", f"{shlex.quote(sys.executable)} -m").replace(
        "-I proto", f"-I {shlex.quote(str(ROOT / 'proto'))}"
    )
    bash = shutil.which("bash")
    assert bash is not None
    result = subprocess.run(
        [bash, "-euo", "pipefail", "-c", script],
        cwd=directory,
        env=os.environ | {"no_proxy": "*"},
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_feedback_changes_the_next_ranking(server: Server, protocol: str) -> None:
    send, user = sender(protocol, address(server, protocol)), f"tc-{uuid.uuid4().hex}"
    put(send)
    assert sorted(rank(send, user)) == ["fargo", "heat", "toy"]
    version = like(send, user, "toy")
    assert version == 1
    assert rank(send, user, version)[0] == "toy"


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_an_error_begins_with_its_reason(server: Server, protocol: str) -> None:
    call = Call()
    call.get_user.user = f"nobody-{uuid.uuid4().hex}"
    with pytest.raises(InferenceServerException) as caught:
        sender(protocol, address(server, protocol))(call)
    assert caught.value.message().startswith("[UserNotFound] user: ")


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_a_refused_event_is_told_apart(server: Server, protocol: str) -> None:
    with pytest.raises(ValueError, match=r"\[UnknownItem\] item: "):
        like(sender(protocol, address(server, protocol)), "ann", f"none-{uuid.uuid4().hex}")


def test_the_python_of_the_page(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    put(sender("grpc", server.target))
    (code,) = blocks("python")
    exec(code.replace("localhost:8001", server.target), {})
    assert len(capsys.readouterr().out.split(",")) == 3


def test_the_curl_of_the_page(server: Server, tmp_path: Path) -> None:
    put(sender("grpc", server.target))
    binary, plain, _ = blocks("bash")
    assert "recommendation_id" in shell(binary, server, tmp_path)
    # The JSON of the second line holds the bytes that the first one encodes.
    (data,) = re.findall(r'"data": \[("[^"]*")\]', plain)
    assert json.loads(data).encode() == (tmp_path / "call.bin").read_bytes()
    shell(plain, server, tmp_path)
    assert b'"REPLY"' in (tmp_path / "reply.bin").read_bytes()


def test_the_body_of_the_grpcurl_line(server: Server) -> None:
    put(sender("grpc", server.target))
    _, _, line = blocks("bash")
    (body,) = re.findall(r"-d '(.*?)' \\\n", line, re.DOTALL)
    payload = Call()
    payload.rank.user, payload.rank.k = "ann", 3
    encoded = b64encode(payload.SerializeToString()).decode()
    body = body.replace("""'"$(base64 -w0 call.bin)"'""", encoded)
    request = json_format.Parse(body, service_pb2.ModelInferRequest())
    with grpc.insecure_channel(server.target, proxy_options(server.target)) as channel:
        answer = service_pb2_grpc.GRPCInferenceServiceStub(channel).ModelInfer(request, timeout=60)
    response = json_format.MessageToDict(answer, preserving_proto_field_name=True)
    reply = Reply.FromString(b64decode(response["raw_output_contents"][0])[4:])
    assert len(reply.rank.items) == 3
