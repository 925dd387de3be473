"""Imports of optional packages, with an error that names the extra to install."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from penchant.domain.errors import ConfigError


@contextmanager
def needs_extra(purpose: str, extra: str) -> Iterator[None]:
    """Turns the import of a missing package into an error that names the extra to install.

    Args:
        purpose: command, option or feature that needs the package; begins the message.
        extra: extra of the `penchant` package that installs it, as in pyproject.toml.

    Raises:
        ConfigError: the body imports a package that is not installed.

    >>> with needs_extra("serve", "backend"):
    ...     import a_package_that_is_not_there
    Traceback (most recent call last):
    penchant.domain.errors.ConfigError: serve: the package a_package_that_is_not_there is missing; \
`pip install 'penchant[backend]'`
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"{purpose}: the package {error.name} is missing; `pip install 'penchant[{extra}]'`"
        ) from error
