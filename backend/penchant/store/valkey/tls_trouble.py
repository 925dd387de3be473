"""What is wrong with TLS to a store's servers, in words: the files of an address, and refusals."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

from penchant.domain.errors import ConfigError
from penchant.store.valkey.valkey_address import ValkeyAddress
from penchant.system.os_error_reason import reason_of

_AUTHORITIES = "a PEM file with the certificates of authorities"
_CERTIFICATE = "a PEM file with this side's certificate"
_KEY = "a PEM file with the private key of cert, without a passphrase"

_OF_REASON = {
    "WRONG_VERSION_NUMBER": "it speaks no TLS there: use valkey://, or the port that does",
    "CERTIFICATE_REQUIRED": "it asks for a certificate: name one by cert and key",
    "UNKNOWN_CA": "it does not trust the certificate named by cert",
    "UNSUPPORTED_PROTOCOL": "it speaks none of the versions of TLS that this side takes",
}
"""By the end of OpenSSL's reason."""


def check_files(address: ValkeyAddress) -> None:
    """Checks the files that an address names, before anybody is called.

    Raises:
        ConfigError: one is missing, can't be read, or holds something else; the text names the
            option and the file.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if address.ca:
        _tried("ca", address.ca, _AUTHORITIES, lambda: context.load_verify_locations(address.ca))
    if not address.cert:
        return
    _tried("cert", address.cert, _CERTIFICATE, lambda: _read(address.cert))
    _tried("key", address.key, _KEY, lambda: _read(address.key))
    # By itself first: which of the two is wrong is not told otherwise.
    _tried("cert", address.cert, _CERTIFICATE, lambda: context.load_verify_locations(address.cert))
    # Without this callback, a key with a passphrase would ask for it on the terminal.
    _tried(
        "key",
        address.key,
        _KEY,
        lambda: context.load_cert_chain(address.cert, address.key, password=lambda: ""),
    )


def reason_of_refusal(error: BaseException | None) -> str:
    """What a refused handshake was about; empty: the error is about something else.

    Args:
        error: of the client library, which hides the one of TLS behind its own.

    >>> reason_of_refusal(TimeoutError())
    ''
    """
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return (
                f"its certificate is refused ({error.verify_message}): name the authority by ca, "
                "and the host as the certificate does"
            )
        if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            return "it ends the connection within TLS: it goes down, or asks for cert and key"
        # A Valkey that speaks no TLS waits for the end of a line.
        if isinstance(error, TimeoutError) and "handshake" in str(error):
            return "it answers no TLS: it is stopped, or speaks none there: then use valkey://"
        if isinstance(error, ssl.SSLError):
            reason = error.reason or str(error)
            for end, words in _OF_REASON.items():
                if reason.endswith(end):
                    return words
            return f"TLS fails: {reason}"
        error = error.__cause__ or error.__context__
    return ""


def _read(path: str) -> None:
    with Path(path).open("rb") as file:
        file.read(1)


def _tried(option: str, path: str, expected: str, load: Callable[[], object]) -> None:
    try:
        load()
    except ssl.SSLError as error:
        reason = (error.reason or "it holds none, or one with a passphrase").replace("_", " ")
        reason = reason.lower()
    except OSError as error:
        reason = reason_of(error)
    except ValueError as error:  # A path with a zero in it.
        reason = str(error)
    else:
        return
    raise ConfigError(f"store: {option}: got {path!r}, expected {expected}: {reason}")
