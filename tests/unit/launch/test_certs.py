"""`penchant certs`: whole directories for each party, and nothing that is there is lost."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest

from penchant.launch import LaunchError
from penchant.launch.certificate_dates import client_complaints, complaints, server_complaints
from penchant.launch.certs import CertsRequest, make_certs
from penchant.launch.serve import ServeRequest, tls_of
from penchant.launch.tls import ServerTls, TlsFiles
from penchant_sdk import InvalidRequest, Penchant, PenchantError, Tls, Unavailable
from tests.support.command import run


@pytest.fixture(scope="module")
def certs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("certs")
    make_certs(CertsRequest(place, clients=("app",)))
    return place


@contextmanager
def listening(tls: ServerTls) -> Iterator[int]:
    """A gRPC server without services, with a server's files."""
    server = grpc.server(ThreadPoolExecutor(1))
    credentials = grpc.ssl_server_credentials(
        [(tls.key.read_bytes(), tls.cert.read_bytes())],
        tls.ca.read_bytes() if tls.ca else None,
        require_client_auth=tls.ca is not None,
    )
    port = server.add_secure_port("127.0.0.1:0", credentials)
    server.start()
    try:
        yield port
    finally:
        server.stop(None).wait(10)


def server_of(certs: Path) -> ServerTls:
    tls = ServerTls.of(certs / "server")
    assert tls is not None
    return tls


def reached(port: int, **options: object) -> bool:
    """Whether a client with TLS options shakes hands: such a server then knows no method."""
    client = Penchant(f"localhost:{port}", timeout_s=60.0, max_attempts=1, **options)  # type: ignore[arg-type]  # By name.
    with client:
        try:
            client.user("anybody")
        except PenchantError as error:
            return not isinstance(error, Unavailable)
    return True


def test_every_file_is_for_its_user_alone_and_each_party_has_its_own_key(certs: Path) -> None:
    files = [path for path in certs.rglob("*") if path.is_file()]
    assert {str(path.relative_to(certs)) for path in files} == {
        "ca/ca.crt",
        "ca/ca.key",
        *(
            f"{side}/{name}"
            for side in ("server", "app")
            for name in ("ca.crt", "tls.crt", "tls.key")
        ),
    }
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert {stat.S_IMODE(path.parent.stat().st_mode) for path in files} == {0o700}
    assert len({path.read_bytes() for path in files if path.suffix == ".key"}) == 3


def test_the_directories_are_those_of_serve_of_commands_and_of_the_sdk(certs: Path) -> None:
    """Mutual TLS: the client shows its own certificate; without one, nobody comes in."""
    tls = tls_of(ServeRequest(tls=certs / "server"))
    assert tls == server_of(certs)
    assert tls.ca == certs / "server" / "ca.crt"
    assert tls.probe_access().name == "localhost"
    with listening(tls) as port:
        assert reached(port, tls=certs / "app")
        assert reached(port, tls=str(certs / "app"))
        assert reached(port, tls=Tls.of(certs / "app"))
        assert reached(port, credentials=TlsFiles(tls=certs / "app").credentials())
        assert not reached(port, tls=Tls(certs / "app" / "ca.crt"))
        assert not reached(port)


def test_without_the_clients_authority_a_server_asks_for_no_certificate(
    certs: Path, tmp_path: Path
) -> None:
    for name in ("tls.crt", "tls.key"):
        (tmp_path / name).write_bytes((certs / "server" / name).read_bytes())
    tls = ServerTls.of(tmp_path)
    assert tls is not None
    assert tls.ca is None
    with listening(tls) as port:
        assert reached(port, tls=Tls(certs / "app" / "ca.crt"))


def test_what_is_there_is_kept_and_the_authority_signs_further_clients(tmp_path: Path) -> None:
    make_certs(CertsRequest(tmp_path, hosts=("ranker.example.com", "10.0.0.1")))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    issued = make_certs(CertsRequest(tmp_path, clients=("client", "other")))
    assert [(one.directory.name, one.kept) for one in issued] == [
        ("ca", True),
        ("server", True),
        ("client", True),
        ("other", False),
    ]
    assert {path: path.read_bytes() for path in before} == before
    with listening(server_of(tmp_path)) as port:
        options = [("grpc.ssl_target_name_override", "ranker.example.com")]
        assert reached(port, tls=tmp_path / "other", channel_options=options)


def test_a_renewal_keeps_the_authority_and_the_names(tmp_path: Path) -> None:
    make_certs(CertsRequest(tmp_path, hosts=("ranker.example.com",), days=5))
    kept = (tmp_path / "ca" / "ca.crt").read_bytes()
    old = (tmp_path / "server" / "tls.crt").read_bytes()
    _, server, _ = make_certs(CertsRequest(tmp_path, replace=True))
    assert server.names == ("ranker.example.com",)
    assert (tmp_path / "ca" / "ca.crt").read_bytes() == kept
    assert (tmp_path / "server" / "tls.crt").read_bytes() != old
    assert server_of(tmp_path).probe_access().name == "ranker.example.com"


def test_other_names_are_refused_until_told_to_replace(tmp_path: Path) -> None:
    make_certs(CertsRequest(tmp_path))
    before = (tmp_path / "server" / "tls.crt").read_bytes()
    refused = run(["certs", "--output", tmp_path, "--host", "ranker.example.com"])
    assert refused.exit_code == 1
    assert "--replace writes it anew" in refused.stderr
    assert (tmp_path / "server" / "tls.crt").read_bytes() == before
    done = run(["certs", "--output", tmp_path, "--host", "ranker.example.com", "--replace"])
    assert done.exit_code == 0, done.stderr
    assert "for ranker.example.com; expires on 20" in done.stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"hosts": ("not a name",)}, "host: got 'not a name'"),
        ({"hosts": ("-bad.example.com",)}, "host: got"),
        ({"clients": ("../app",)}, "client: got '../app'"),
        ({"clients": ("ca",)}, "client: got 'ca'"),
        ({"clients": ("",)}, "client: got ''"),
    ],
    ids=["blank", "hyphen", "path", "authority", "empty"],
)
def test_a_name_that_is_none_is_refused_before_anything_is_written(
    options: dict[str, tuple[str, ...]], said: str, tmp_path: Path
) -> None:
    with pytest.raises(LaunchError, match=said):
        make_certs(CertsRequest(tmp_path, **options))  # type: ignore[arg-type]  # By name.
    assert list(tmp_path.iterdir()) == []


def test_an_authority_with_another_key_is_refused(tmp_path: Path) -> None:
    make_certs(CertsRequest(tmp_path / "one"))
    make_certs(CertsRequest(tmp_path / "two"))
    key = (tmp_path / "two" / "ca" / "ca.key").read_bytes()
    (tmp_path / "one" / "ca" / "ca.key").write_bytes(key)
    with pytest.raises(LaunchError, match=r"ca\.key is not the key of ca\.crt"):
        make_certs(CertsRequest(tmp_path / "one", replace=True))
    (tmp_path / "one" / "ca" / "ca.key").unlink()
    with pytest.raises(LaunchError, match="the authority can't be read"):
        make_certs(CertsRequest(tmp_path / "one", replace=True))


def test_a_certificate_that_expires_soon_is_told_by_name(certs: Path) -> None:
    tls, now = server_of(certs), datetime.now(UTC)
    assert server_complaints(tls, now) == []
    (soon,) = server_complaints(tls, now + timedelta(days=80))
    assert str(tls.cert) in soon
    assert "expires on" in soon
    (late,) = server_complaints(tls, now + timedelta(days=91))
    assert "expired on" in late
    files = TlsFiles(tls=certs / "app")
    assert client_complaints(files, now) == []
    assert "expired on" in client_complaints(files, now + timedelta(days=91))[0]
    assert complaints(None) == []


def test_a_bundle_of_authorities_counts_by_its_longest(certs: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.pem"
    make_certs(CertsRequest(tmp_path / "short", days=1))
    short = (tmp_path / "short" / "server" / "tls.crt").read_bytes()
    bundle.write_bytes(short + (certs / "ca" / "ca.crt").read_bytes())
    later = datetime.now(UTC) + timedelta(days=30)
    assert complaints(bundle, later, any_of=True) == []
    assert len(complaints(bundle, later)) == 1


def test_a_directory_of_another_layout_is_refused_by_name(certs: Path, tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match=r"holds no tls\.crt.*perhaps .*server\?"):
        ServerTls.of(certs)
    with pytest.raises(LaunchError, match=r"holds no ca\.crt, expected a directory as"):
        TlsFiles(tls=tmp_path).credentials()
    with pytest.raises(LaunchError, match="expected either --tls, or"):
        TlsFiles(tls_ca=certs / "ca" / "ca.crt", tls=certs / "app").credentials()
    with pytest.raises(LaunchError, match="expected either --tls, or"):
        ServerTls.of(certs / "server", ca=certs / "ca" / "ca.crt")


def test_http_stays_on_this_machine_beside_tls(certs: Path) -> None:
    with pytest.raises(LaunchError, match=r"http-host: got 0\.0\.0\.0"):
        tls_of(ServeRequest(tls=certs / "server", http_host="0.0.0.0"))
    assert tls_of(ServeRequest(http_host="0.0.0.0")) is None


@pytest.mark.parametrize("wrong", [5, b"x", ["a"]], ids=["number", "bytes", "list"])
def test_the_sdk_refuses_what_is_no_directory(wrong: object) -> None:
    with pytest.raises(InvalidRequest, match="expected a Tls or a directory"):
        Penchant(tls=wrong)  # type: ignore[arg-type]  # What is tested.


def test_the_sdk_names_files_that_cannot_be_used(certs: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"tls: got .*ca\.crt, expected PEM.*No such file"):
        Penchant(tls=tmp_path)
    with pytest.raises(InvalidRequest, match="got no key"):
        Penchant(tls=Tls(certs / "app" / "ca.crt", certs / "app" / "tls.crt"))
    app, server = certs / "app", certs / "server"
    with pytest.raises(InvalidRequest, match="with its own key"):
        Penchant(tls=Tls(app / "ca.crt", app / "tls.crt", server / "tls.key"))
    with pytest.raises(InvalidRequest, match="tls, credentials: got both"):
        Penchant(tls=certs / "app", credentials=grpc.ssl_channel_credentials())
