"""Logs of a server hold digests of what messages quote, in whichever format they are written."""

from __future__ import annotations

import io
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.report.printable import PrintableFormatter
from penchant.report.private_log import PrivateLog, redacted

SECRET = "ann@example.org"


@given(text=st.text(max_size=30))
def test_nothing_that_is_quoted_is_left(text: str) -> None:
    secret = f"zq{text}7"
    line = redacted(f"item: got {secret!r}, which the catalog does not hold; retry after 3 ms")
    assert repr(secret)[1:-1] not in line
    assert line.startswith("item: got '#")
    assert line.endswith("which the catalog does not hold; retry after 3 ms")
    assert redacted(line) == line


@pytest.mark.parametrize("error", [ValueError(f"user {SECRET!r}"), KeyError(SECRET)])
def test_an_error_of_any_kind_keeps_its_place_and_loses_its_words(error: Exception) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(PrintableFormatter("penchant %(levelname)s %(message)s"))
    handler.addFilter(PrivateLog())
    logger = logging.Logger("private")
    logger.addHandler(handler)
    try:
        raise error
    except Exception:
        logger.exception("a request of %r failed", SECRET)
    written = stream.getvalue()
    assert SECRET not in written
    assert "test_private_log.py" in written
    assert type(error).__name__ in written
