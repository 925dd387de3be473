"""Files say in their names what they hold."""

from __future__ import annotations

from tests.architecture.source_tree import hand_written, relative

SAYS_NOTHING = ("utils", "util", "helpers", "helper", "manager", "common", "misc")


def test_no_module_or_package_has_a_name_that_says_nothing() -> None:
    poor = {
        relative(path)
        for path in hand_written()
        if set(relative(path).removesuffix(".py").split("/")) & set(SAYS_NOTHING)
    }
    assert poor == set()
