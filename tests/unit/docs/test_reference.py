"""The reference pages: everything that exists is documented, and everything documented exists."""

from __future__ import annotations

import dataclasses
import re
from functools import cache

import generate_reference as reference
import pytest

import penchant_sdk
from penchant.config import RANGES, Config, parse
from penchant.domain import errors
from penchant.domain.errors import ConfigError, PenchantError
from penchant.domain.limits import Limits
from penchant.domain.settings import FOLD_RANGES, FoldSettings, Range
from penchant.domain.signals import SIGNAL_TABLES
from penchant.launch.errors import LaunchError, TritonAborted
from penchant.server.metric_table import FAMILIES
from penchant_proto.methods import METHODS
from tests.support.handwritten import PAGES


@cache
def all_pages() -> dict[str, str]:
    return dict(reference.pages())


def page(name: str) -> str:
    return all_pages()[f"reference/{name}.md"]


def rows(name: str) -> list[list[str]]:
    """The cells of all rows of a page's tables whose first cell is code."""
    lines = re.findall(r"^\| \[?`.*\|$", page(name), re.MULTILINE)
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def first_cells(name: str) -> set[str]:
    return {re.sub(r"[\[\]`]|\(.*\)", "", row[0]).strip() for row in rows(name)}


def test_every_setting_has_a_default_a_range_and_a_meaning() -> None:
    names = {field.name for field in dataclasses.fields(Config)} - {"fold", "limits", "given"}
    names |= {field.name for field in dataclasses.fields(FoldSettings)}
    assert first_cells("settings") == names
    assert all(len(row) == 4 and all(row) for row in rows("settings"))


def test_every_documented_setting_can_be_set() -> None:
    with pytest.raises(ConfigError) as caught:
        parse({"store": "memory:", "encoder": "/e", "no_such_setting": "1"})
    listed = str(caught.value).partition("one of: ")[2].split(", ")
    assert set(listed) == first_cells("settings")


@pytest.mark.parametrize("name", [*RANGES, *FOLD_RANGES])
def test_the_documented_range_is_the_one_that_is_checked(name: str) -> None:
    allowed = {**RANGES, **FOLD_RANGES}[name]
    row = next(row for row in rows("settings") if row[0] == f"`{name}`")
    assert row[2] == str(allowed)

    def accepted(value: float) -> bool:
        whole = isinstance(getattr(FoldSettings(), name, 1), int)
        try:
            parse({"store": "memory:", "encoder": "/e", name: str(int(value) if whole else value)})
        except ConfigError:
            return False
        return True

    assert accepted(allowed.low) is not allowed.above
    assert not accepted(allowed.low - 1)
    assert accepted(allowed.low + 1)
    if allowed.high < float("inf"):
        assert accepted(allowed.high)
        assert not accepted(allowed.high + 1)


def test_every_number_of_the_fold_has_a_range() -> None:
    numbers = {
        field.name
        for field in dataclasses.fields(FoldSettings)
        if isinstance(field.default, (int, float))
    }
    assert numbers == set(FOLD_RANGES)
    assert all(isinstance(allowed, Range) for allowed in FOLD_RANGES.values())


def test_every_signal_of_every_table_is_documented() -> None:
    sections = re.split(r"^## ", page("signals"), flags=re.MULTILINE)[1:]
    found = {
        section.split("\n")[0]: set(re.findall(r"^\| `(\w+)`", section, re.MULTILINE))
        for section in sections
    }
    assert found == {name: set(table) for name, table in SIGNAL_TABLES.items()}


def test_every_limit_is_documented() -> None:
    documented = {row[0].strip("`"): row[1:] for row in rows("limits")}
    assert set(documented) == {field.name for field in dataclasses.fields(Limits)}
    for field in dataclasses.fields(Limits):
        most, meaning = documented[field.name]
        assert most == f"{field.default:,}"
        assert meaning


def all_errors() -> set[str]:
    """The names of all errors of the server, of the SDK and of a start."""
    server = {cls.__name__ for cls in reference.descendants(PenchantError)}
    client = {cls.__name__ for cls in reference.descendants(penchant_sdk.PenchantError)}
    return server | client | {LaunchError.__name__, TritonAborted.__name__}


def test_every_error_has_a_cause_and_a_remedy_and_no_other_is_documented() -> None:
    sections = re.split(r"^### ", page("errors"), flags=re.MULTILINE)[1:]
    documented = {section.split()[0]: section for section in sections}
    assert set(documented) == all_errors()
    for section in documented.values():
        assert re.search(r"\*\*Cause:\*\* \S", section)
        assert re.search(r"\*\*Remedy:\*\* \S", section)


def test_an_error_without_a_remedy_is_refused() -> None:
    class Undocumented(Exception):
        """Something went wrong."""

    with pytest.raises(ValueError, match="Remedy"):
        reference.explained(Undocumented)


def test_every_error_of_the_module_is_a_direct_child_so_that_none_is_missed() -> None:
    found = {
        cls
        for cls in vars(errors).values()
        if isinstance(cls, type) and issubclass(cls, PenchantError) and cls is not PenchantError
    }
    assert found == set(PenchantError.__subclasses__())


def test_every_metric_is_documented() -> None:
    assert first_cells("metrics") == set(FAMILIES)


def test_every_method_and_message_of_the_contract_is_documented() -> None:
    text = page("contract")
    for method in METHODS.values():
        assert f"| `{method.name}` |" in text
        assert f"`{method.model}`" in text
    headings = re.findall(r"^### (\S+) \{", text, re.MULTILINE)
    linked = set(re.findall(r"\]\(#(\S+?)\)", text))
    assert linked <= set(headings)
    assert {"Call", "Reply", "Exploration.PlackettLuce", "EventResult.Status"} <= set(headings)


@pytest.mark.parametrize("name", reference.SDK_PAGES)
def test_every_public_name_of_the_sdk_is_documented(name: str) -> None:
    package, _ = reference.SDK_PAGES[name]
    described = re.findall(r"^::: (\S+)$", page(name), re.MULTILINE)
    assert sorted(described) == sorted(f"{package.__name__}.{one}" for one in package.__all__)


@pytest.mark.parametrize(
    ("pattern", "existing"),
    [
        (
            r"`(penchant_[a-z_]+_(?:total|seconds|events|texts|calls|fill))`",
            set(FAMILIES),
        ),
        (r"`((?:Invalid|Unknown|Store|Encoder|State|EventId|UserNot)[A-Z][A-Za-z]+)`", None),
        (r"`(penchant_(?:rank|feedback|catalog|users|encoder))`", None),
    ],
    ids=["metrics", "errors", "models"],
)
def test_names_in_the_pages_exist(pattern: str, existing: set[str] | None) -> None:
    known = existing or all_errors() | {method.model for method in METHODS.values()}
    for one in PAGES:
        named = set(re.findall(pattern, one.read_text(encoding="utf-8")))
        assert named <= known, one.name
