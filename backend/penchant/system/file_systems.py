"""File systems of fsspec, whose packages raise errors of their own, as this program foresees them.

What opens an address may raise anything (TypeError, botocore's and gcsfs' errors, those of an HTTP
client), and so may each call afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from penchant.domain.errors import ConfigError
from penchant.system.optional_package import needs_extra
from penchant.system.redacted_address import redacted


def open_file_system(url: str, option: str) -> tuple[Any, str]:
    """The file system of an address, and the path of the address in it.

    Args:
        url: as in `s3://bucket/path` or `file:///mnt/shared`.
        option: the option or setting that named it; begins the message.

    Raises:
        ConfigError: fsspec, or the package of this kind of address, is missing, or the address
            can't be read.
    """
    with needs_extra(f"{option}: {url.partition(':')[0]}: addresses", "ship"):
        from fsspec.core import url_to_fs
    try:
        system, path = url_to_fs(url)
    except Exception as error:  # Any package's own, TypeError among them.
        raise refused_address(url, option, error) from error
    return system, str(path).rstrip("/")


def refused_address(url: str, option: str, error: Exception) -> ConfigError:
    """What is said of an address that can't be used."""
    reason = " ".join(str(error).split()) or type(error).__name__
    return ConfigError(
        redacted(f"{option}: got {url!r}, expected an address that fsspec can open: {reason}")
    )


@contextmanager
def raises_os_errors(*others: type[Exception]) -> Iterator[None]:
    """Turns the errors of a file system's package into OSError, which callers foresee.

    Args:
        others: errors that callers foresee as well.

    Raises:
        OSError: the body raised anything else.

    >>> with raises_os_errors():
    ...     raise RuntimeError("AccessDenied")
    Traceback (most recent call last):
    OSError: RuntimeError: AccessDenied
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, (OSError, *others)):
            raise
        text = " ".join(str(error).split())
        raise OSError(redacted(f"{type(error).__name__}: {text}")) from error
