"""The token that a command or a health check shows to a server that asks for one."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from penchant.launch.errors import LaunchError
from penchant.system.os_error_reason import reason_of

VARIABLE = "PENCHANT_TOKEN"
"""Environment variable with the token itself."""


@dataclass(frozen=True, slots=True)
class ShownToken:
    """The token of a command, from a file or from $PENCHANT_TOKEN; without either: none."""

    token_file: Path | None = None
    """File with the token to show to a server that asks for one; by default $PENCHANT_TOKEN."""

    def reader(self) -> Callable[[], str] | None:
        """Returns the token as it is now, so that a file may be renewed; None: no token.

        Raises:
            LaunchError: the file can't be read, now or later.
        """
        if self.token_file is None:
            given = os.environ.get(VARIABLE, "").strip()
            return (lambda: given) if given else None
        self._read()
        return self._read

    def _read(self) -> str:
        assert self.token_file is not None
        try:
            text = self.token_file.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            why = reason_of(error) if isinstance(error, OSError) else "it is no text"
            raise LaunchError(
                f"token-file: {why}; expected a file with a token, as `penchant token issue` "
                "prints one"
            ) from None
        if not text:
            raise LaunchError("token-file: the file is empty, expected a token")
        return text


NO_TOKEN = ShownToken()
"""The token of the environment, if there is one."""
