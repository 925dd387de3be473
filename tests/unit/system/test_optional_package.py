"""A missing package becomes an error that says what to install; other errors pass."""

from __future__ import annotations

import sys
from importlib import import_module

import pytest

from penchant.domain.errors import ConfigError
from penchant.system.optional_package import needs_extra


def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "peft", None)
    with (
        pytest.raises(
            ConfigError, match=r"^finetune: .*peft.* `pip install 'penchant\[train\]'`$"
        ) as e,
        needs_extra("finetune", "train"),
    ):
        import_module("peft")
    assert isinstance(e.value.__cause__, ModuleNotFoundError)


def test_a_package_that_is_there_is_imported() -> None:
    with needs_extra("finetune", "train"):
        module = import_module("json")
    assert module.__name__ == "json"


def test_an_error_of_the_body_passes_unchanged() -> None:
    with pytest.raises(ImportError, match="broken build"), needs_extra("finetune", "train"):
        raise ImportError("broken build")
