"""Keys: no id can imitate another key, and scans return keys in order."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from penchant.store.keys import Kind, decode, encode

TEXTS = st.text(st.sampled_from("ab\x00\x01\xff\u0100\U00010000"), max_size=6) | st.text(max_size=8)
NUMBERS = st.integers(0, 2**64 - 1)
PARTS = st.lists(TEXTS | NUMBERS, max_size=4)


@given(kind=st.sampled_from(Kind), parts=PARTS)
def test_a_decoded_key_gives_what_was_encoded(kind: Kind, parts: list[str | int]) -> None:
    assert decode(encode(kind, *parts)) == (kind, parts)


@given(user=TEXTS, other=TEXTS, digest=NUMBERS)
@example(user="u", other="u1", digest=0)
@example(user="u", other="u\x00", digest=0)
@example(user="u", other="u\x00\x01", digest=0)
@example(user="", other="\x00", digest=0)
def test_no_users_scan_reaches_anothers_keys(user: str, other: str, digest: int) -> None:
    reached = encode(Kind.LOG, other, digest).startswith(encode(Kind.LOG, user))
    assert reached == (user == other)


@given(kinds=st.tuples(st.sampled_from(Kind), st.sampled_from(Kind)), one=PARTS, two=PARTS)
def test_a_key_begins_with_another_only_where_its_parts_do(
    kinds: tuple[Kind, Kind], one: list[str | int], two: list[str | int]
) -> None:
    begins = encode(kinds[1], *two).startswith(encode(kinds[0], *one))
    assert begins == (kinds[0] == kinds[1] and two[: len(one)] == one)


@given(texts=st.lists(TEXTS, max_size=6))
def test_keys_of_texts_are_in_the_texts_order(texts: list[str]) -> None:
    keys = sorted(encode(Kind.USER, text) for text in texts)
    assert [decode(key)[1][0] for key in keys] == sorted(texts, key=str.encode)


@given(numbers=st.lists(NUMBERS, max_size=6))
def test_keys_of_numbers_are_in_the_numbers_order(numbers: list[int]) -> None:
    keys = sorted(encode(Kind.CHANGE, number) for number in numbers)
    assert [decode(key)[1][0] for key in keys] == sorted(numbers)


@pytest.mark.parametrize("key", [b"?", b"U?", b"UTunended", b"L\x54u"])
def test_bytes_that_are_no_key_are_a_value_error(key: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        decode(key)
