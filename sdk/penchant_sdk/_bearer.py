"""The token that a client shows with each call, and when to ask for a new one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from penchant_sdk.errors import InvalidRequest, PenchantError, Unauthenticated

Token = str | Callable[[], str]
"""A token, or a function that returns the one to use now.

The function is called for each call, so it should keep its token and fetch a new one only shortly
before that expires. Of threads, it may be called by several at once.
"""

AsyncToken = str | Callable[[], str | Awaitable[str]]
"""The same for asyncio, where the function may be a coroutine function."""

MOST_TOKEN_BYTES = 4_096
"""Size limit of a token, in bytes."""

Pairs = tuple[tuple[str, str | bytes], ...]


class Bearer:
    """Puts the token into the metadata of each call."""

    __slots__ = ("_fixed", "_metadata", "_token")

    def __init__(self, token: AsyncToken | None, metadata: Pairs) -> None:
        """Checks a token that is a text.

        Args:
            token: None: no token.
            metadata: pairs sent with every call.

        Raises:
            InvalidRequest: the token is no token, or the metadata hold another one.
        """
        if token is not None and any(key.lower() == "authorization" for key, _ in metadata):
            raise InvalidRequest(
                "token: got one, and metadata with authorization too; expected either"
            )
        self._metadata = metadata
        self._token = token if callable(token) else None
        self._fixed = metadata if token is None or callable(token) else self._with(token)

    def ask(self) -> object:
        """What the function returns now, which may have to be awaited; None without one."""
        return None if self._token is None else self._token()

    def metadata(self, token: object) -> Pairs:
        """The pairs to send with a call.

        Args:
            token: what the function returned, awaited where it had to be.

        Raises:
            InvalidRequest: that is no token.
        """
        return self._fixed if self._token is None else self._with(token)

    def worth_another(self, error: PenchantError) -> bool:
        """Whether the call should be made once more, with a token that is asked for again."""
        return self._token is not None and isinstance(error, Unauthenticated) and error.expired

    def _with(self, token: object) -> Pairs:
        if not isinstance(token, str):
            raise InvalidRequest(f"token: got {type(token).__name__}, expected a text")
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise InvalidRequest(
                "token: got a text that is empty or holds spaces or odd characters, expected the "
                "token alone, without `Bearer`"
            )
        if len(token) > MOST_TOKEN_BYTES:
            raise InvalidRequest(
                f"token: got {len(token)} bytes, expected at most {MOST_TOKEN_BYTES}"
            )
        return (*self._metadata, ("authorization", f"Bearer {token}"))
