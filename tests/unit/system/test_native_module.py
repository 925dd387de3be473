from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.system.native_module import NATIVE_VARIABLE, native_choice


def test_numpy_runs_where_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NATIVE_VARIABLE, "off")
    assert not native_choice().runs
    assert NATIVE_VARIABLE in native_choice().reason


@given(data=st.binary(max_size=300), start=st.integers(0, 2**32 - 1))
def test_the_checksum_is_that_of_zlib(data: bytes, start: int) -> None:
    penchant_native = pytest.importorskip("penchant_native")
    assert penchant_native.crc32(data, start) == zlib.crc32(data, start)
