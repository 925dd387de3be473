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


@pytest.mark.parametrize("word", ["off", "OFF", " off", "0", "no", "False"])
def test_each_usual_word_for_off_forces_numpy(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setenv(NATIVE_VARIABLE, word)
    assert not native_choice().runs
    assert f"{NATIVE_VARIABLE}={word}" in native_choice().reason


@pytest.mark.parametrize("word", ["of", "numpy", "disabled"])
def test_a_word_that_is_neither_on_nor_off_changes_nothing_and_is_named(
    monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    monkeypatch.delenv(NATIVE_VARIABLE, raising=False)
    without = native_choice()
    monkeypatch.setenv(NATIVE_VARIABLE, word)
    assert native_choice().runs == without.runs
    assert f"{NATIVE_VARIABLE}: got {word!r}, expected off or on" in native_choice().reason
    for word_for_on in ("", "on", "1"):
        monkeypatch.setenv(NATIVE_VARIABLE, word_for_on)
        assert native_choice() == without
