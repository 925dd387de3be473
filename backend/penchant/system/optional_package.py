"""Packages of an extra, imported only where they are used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from penchant.domain.errors import ConfigError


@contextmanager
def needs_extra(purpose: str, extra: str) -> Iterator[None]:
    """Turns a missing package into an error that names the extra to install.

    Args:
        purpose: what needs the package, the first word of the message.
        extra: the extra of `penchant` that brings it, as in pyproject.toml.

    Raises:
        ConfigError: the body imports a package that is not installed.

    >>> with needs_extra("tune", "tune"):
    ...     import a_package_that_is_not_there
    Traceback (most recent call last):
    penchant.domain.errors.ConfigError: tune: the package a_package_that_is_not_there is missing; \
`pip install 'penchant[tune]'`
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"{purpose}: the package {error.name} is missing; `pip install 'penchant[{extra}]'`"
        ) from error
