"""Files of TLS are checked before anything starts, and refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from penchant.launch import LaunchError
from penchant.launch.tls import ServerTls, TlsFiles
from tests.support.certificates import Authority


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def test_a_server_certificate_names_the_host_that_the_probe_expects(authority: Authority) -> None:
    cert, key = authority.sign("ranker.example.com", "serverAuth")
    access = ServerTls(cert, key).probe_access()
    assert access.name == "ranker.example.com"
    assert access.credentials is not None


def test_the_probe_shows_the_servers_certificate_where_clients_need_one(
    authority: Authority,
) -> None:
    cert, key = authority.sign("ranker.example.com")
    assert ServerTls(cert, key, authority.ca).probe_access().name == "ranker.example.com"


def test_a_certificate_that_the_clients_authority_does_not_know_is_refused(
    authority: Authority, tmp_path: Path
) -> None:
    cert, key = authority.sign("ranker.example.com")
    other = Authority(tmp_path / "other", "other")
    with pytest.raises(LaunchError, match=r"tls-cert: got .*authority in .*other\.pem"):
        ServerTls(cert, key, other.ca).probe_access()


def test_a_certificate_for_servers_alone_is_refused_where_clients_need_one(
    authority: Authority,
) -> None:
    cert, key = authority.sign("ranker.example.com", "serverAuth")
    with pytest.raises(LaunchError, match="sign it for both uses"):
        ServerTls(cert, key, authority.ca).probe_access()


def test_the_key_of_another_certificate_is_refused(authority: Authority) -> None:
    cert, _ = authority.sign("one.example.com")
    _, key = authority.sign("two.example.com")
    with pytest.raises(LaunchError, match="expected a certificate and its own key"):
        ServerTls(cert, key).probe_access()
    with pytest.raises(LaunchError, match="expected a certificate and its own key"):
        TlsFiles(authority.ca, cert, key).credentials()


def test_files_that_are_missing_or_no_certificates_are_named(
    authority: Authority, tmp_path: Path
) -> None:
    cert, _ = authority.sign("one.example.com")
    text = tmp_path / "text.pem"
    text.write_text("hello")
    with pytest.raises(LaunchError, match=r"tls-ca: got .*text\.pem, expected certificates"):
        TlsFiles(text).credentials()
    with pytest.raises(LaunchError, match=r"tls-ca: got .*none\.pem.*No such file"):
        TlsFiles(tmp_path / "none.pem").credentials()
    with pytest.raises(LaunchError, match=r"tls-key: got .*none\.key.*No such file"):
        ServerTls(cert, tmp_path / "none.key").probe_access()
    with pytest.raises(LaunchError, match="tls-key: got none"):
        TlsFiles(authority.ca, cert).credentials()
    with pytest.raises(LaunchError, match="tls-ca: got none"):
        TlsFiles(tls_cert=cert).credentials()
