"""Who may import what; the layers themselves are import-linter's (`make check`)."""

from __future__ import annotations

import sys

from tests.architecture.source_tree import hand_written, imports, packages, relative

STANDARD_LIBRARY = frozenset(sys.stdlib_module_names)


HOME = "sdk/penchant_sdk/home/"
"""The part of the SDK with an extra of its own."""
IN_PROCESS = "sdk/penchant_sdk/testing.py"
"""The SDK's one module that runs the backend, in the caller's own process."""


def foreign(folder: str, allowed: frozenset[str]) -> dict[str, set[str]]:
    """The imports below `folder` that are neither `allowed` nor the standard library's."""
    found = {path: packages(path) - STANDARD_LIBRARY - allowed for path in hand_written(folder)}
    assert found, f"no Python files in {folder}"
    return {relative(path): names for path, names in found.items() if names}


def test_the_domain_imports_numpy_and_the_standard_library_alone() -> None:
    assert foreign("backend/penchant/domain", frozenset({"numpy", "penchant"})) == {}


def test_the_domain_imports_of_penchant_only_itself() -> None:
    outside = {
        relative(path): {
            name
            for name in imports(path)
            if name.startswith("penchant") and not name.startswith("penchant.domain")
        }
        for path in hand_written("backend/penchant/domain")
    }
    assert {path: names for path, names in outside.items() if names} == {}


def test_the_sdk_imports_grpc_protobuf_and_the_contract_alone() -> None:
    allowed = frozenset({"grpc", "google", "penchant_proto", "penchant_sdk"})
    found = foreign("sdk/penchant_sdk", allowed)
    home = {path: found.pop(path) for path in list(found) if path.startswith(HOME)}
    assert found.pop(IN_PROCESS) == {"penchant"}
    assert found == {}
    assert set().union(*home.values()) <= {"hassil", "home_assistant_intents", "numpy"}


def test_only_the_home_client_imports_itself_so_that_its_extra_is_an_extra() -> None:
    importers = {
        relative(path)
        for path in hand_written("sdk/penchant_sdk")
        if any(name.startswith("penchant_sdk.home") for name in imports(path))
    }
    assert all(path.startswith(HOME) for path in importers)


def test_no_module_of_the_sdk_imports_the_one_for_tests() -> None:
    importers = {
        relative(path)
        for path in hand_written("sdk/penchant_sdk")
        if "penchant_sdk.testing" in imports(path)
    }
    assert importers == set()


def test_the_contract_imports_grpc_and_protobuf_alone() -> None:
    allowed = frozenset({"grpc", "google", "penchant_proto"})
    assert foreign("proto/penchant_proto", allowed) == {}


def test_only_the_entry_point_imports_tritons_module() -> None:
    importers = [
        relative(path) for path in hand_written() if "triton_python_backend_utils" in packages(path)
    ]
    assert importers == ["backend/model.py"]


TRAINING = frozenset(
    {"torch", "transformers", "sentence_transformers", "safetensors", "onnxscript"}
)


def test_what_serves_never_imports_what_trains() -> None:
    jobs = ("training/", "evaluation/", "fit/", "cli/")
    importers = {
        relative(path)
        for path in hand_written("backend", "sdk", "proto")
        if TRAINING & packages(path) or any("penchant.training" in name for name in imports(path))
    }
    allowed = tuple(f"backend/penchant/{job}" for job in jobs)
    assert {path for path in importers if not path.startswith(allowed)} == set()
