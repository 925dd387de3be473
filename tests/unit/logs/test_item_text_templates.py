"""Texts made of attributes: what is proposed for catalogs of several shapes."""

from __future__ import annotations

from penchant.domain.types import Item
from penchant.logs.item_text_templates import text_templates, with_template


def items(**columns: list[str]) -> list[Item]:
    rows = zip(*columns.values(), strict=True)
    named = [dict(zip(columns, row, strict=True)) for row in rows]
    return [Item(str(number), str(number), row) for number, row in enumerate(named)]


N = range(20)
TITLES = [f"a fine thing number {number}" for number in N]
PROSE = [f"made of oak and of {number} nails, lasts for years" for number in N]
SHELF = ["hall" if number % 2 else "bath" for number in N]


def test_a_title_comes_first_then_what_groups_then_prose() -> None:
    found = text_templates(items(blurb=PROSE, shelf=SHELF, title=TITLES))
    assert found == ["{title}", "{title}. {shelf}", "{title}. {shelf}. {blurb}"]


def test_prose_under_any_name_is_found() -> None:
    assert text_templates(items(bezeichnung=TITLES))[0] == "{bezeichnung}"


def test_numbers_codes_and_addresses_are_no_text() -> None:
    columns = {
        "price": [f"{number}.99" for number in N],
        "ean": [f"40{number:09}" for number in N],
        "picture": [f"https://example.org/a b {number}" for number in N],
    }
    assert text_templates(items(**columns)) == []


def test_a_text_of_its_own_is_kept_first() -> None:
    given = [Item(f"i{number}", TITLES[number], {"shelf": SHELF[number]}) for number in N]
    assert text_templates(given) == ["{text}", "{text}. {shelf}"]
    plain = [Item(f"i{number}", TITLES[number]) for number in N]
    assert text_templates(plain) == []


def test_a_missing_part_leaves_no_gap_and_a_blank_text_stays() -> None:
    given = [Item("a", "a", {"title": "lamp"}), Item("b", "b", {})]
    made = with_template(given, "{title}. {shelf}")
    assert [one.text for one in made] == ["lamp", "b"]
