"""Addresses as people and logs may read them: without passwords."""

from __future__ import annotations

import re

_HIDDEN = "***"
_SECRET = re.compile(r"(?s)(?<=://)([^:]*):.*@")
_NO_SLASHES = re.compile(r"(?s)^((?:valkeys?|rediss?):/?[^:]*|[^:]*):.*@")
"""Of what was meant to be an address, and is none without its slashes or its scheme."""
_OPTION = re.compile(r"(?<=[?&]password=)[^&\s]+")
"""No address has this option; somebody may think so."""


def redacted(text: str) -> str:
    r"""An address, or a text that holds one, without its password.

    A password may hold any character, those that should have been percent-encoded included, so that
    all counts as one from the first colon after `://` to the last `@`.

    >>> redacted("valkey://shop:s3cret@cache:6379/shop"), redacted("ftp://u:p/w@d@host/log")
    ('valkey://shop:***@cache:6379/shop', 'ftp://u:***@host/log')
    >>> redacted("valkey://cache/shop?password_env=X")
    'valkey://cache/shop?password_env=X'
    >>> redacted("shop:s3cret@cache:6379/shop")
    'shop:***@cache:6379/shop'
    """
    pattern = _SECRET if "://" in text else _NO_SLASHES
    return _OPTION.sub(_HIDDEN, pattern.sub(rf"\1:{_HIDDEN}@", text))
