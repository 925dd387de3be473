"""Files stay short and say in their names what they hold."""

from __future__ import annotations

from tests.architecture.source_tree import hand_written, relative

LONGEST = 400
SAYS_NOTHING = ("utils", "util", "helpers", "helper", "manager", "common", "misc")


def test_no_file_is_longer_than_the_limit() -> None:
    lines = {relative(path): len(path.read_bytes().splitlines()) for path in hand_written()}
    assert {path: count for path, count in lines.items() if count > LONGEST} == {}


def test_no_module_or_package_has_a_name_that_says_nothing() -> None:
    poor = {
        relative(path)
        for path in hand_written()
        if set(relative(path).removesuffix(".py").split("/")) & set(SAYS_NOTHING)
    }
    assert poor == set()
