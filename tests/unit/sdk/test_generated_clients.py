"""The synchronous classes are generated from the asynchronous ones, and offer the same."""

from __future__ import annotations

import importlib.util
import inspect
import subprocess
import sys
from types import FunctionType, ModuleType

import pytest

from penchant_sdk import AsyncPenchant, AsyncTransport, Penchant, Transport
from penchant_sdk._aio_transport import AsyncGrpcTransport
from penchant_sdk._transport import GrpcTransport
from penchant_sdk.ads import AdClient, AsyncAdClient
from penchant_sdk.games import AsyncGameClient, GameClient
from penchant_sdk.home import AsyncHomeClient, HomeClient
from penchant_sdk.testing import AsyncFakePenchant, FakePenchant
from tests.architecture.source_tree import ROOT

SCRIPT = ROOT / "sdk" / "generate_sync.py"
TWINS: list[tuple[type, type]] = [
    (Penchant, AsyncPenchant),
    (FakePenchant, AsyncFakePenchant),
    (Transport, AsyncTransport),
    (GrpcTransport, AsyncGrpcTransport),
    (AdClient, AsyncAdClient),
    (GameClient, AsyncGameClient),
    (HomeClient, AsyncHomeClient),
]
WITHOUT_IO = {"__init__", "describe"}
"""Methods that are no coroutines on either class."""


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_sync", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def public(kind: type) -> dict[str, object]:
    return {
        name: member
        for name, member in inspect.getmembers(kind)
        if name == "__init__" or not name.startswith("_")
    }


def test_generated_modules_are_up_to_date() -> None:
    run = subprocess.run(
        [sys.executable, str(SCRIPT), "--check"], capture_output=True, text=True, timeout=600
    )
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("twins", TWINS, ids=lambda twins: twins[0].__name__)
def test_twins_have_the_same_members_and_parameters(twins: tuple[type, type]) -> None:
    sync, asynchronous = (public(kind) for kind in twins)
    assert sync.keys() == asynchronous.keys()
    for name, member in sync.items():
        twin = asynchronous[name]
        assert type(member) is type(twin), name
        if not (isinstance(member, FunctionType) and isinstance(twin, FunctionType)):
            continue  # A property.
        one, other = (str(inspect.signature(each)) for each in (member, twin))
        assert other.replace("Async", "") == one, name
        assert inspect.iscoroutinefunction(twin) is (name not in WITHOUT_IO), name
        assert not inspect.iscoroutinefunction(member), name


def test_every_replacement_is_used(generator: ModuleType) -> None:
    sources = "".join((ROOT / "sdk" / source).read_text() for source in generator.SOURCES)
    for text in [*generator.NAMES, *generator.PHRASES]:
        assert text in sources, text


def test_strings_that_are_no_docstrings_stay_as_they_are(generator: ModuleType) -> None:
    code = 'name = "AsyncPenchant, asynchronous"\n'
    assert generator.translate(code) == code


def test_examples_lose_their_event_loop(generator: ModuleType) -> None:
    code = '''
def f() -> None:
    """Does something asynchronous.

    >>> import asyncio
    >>> async def main() -> int:
    ...     async with AsyncThing() as thing:
    ...         await thing.start(
    ...             1,
    ...         )
    ...     return await thing.value()
    >>> asyncio.run(main())
    7

    After the example.
    """
'''
    expected = '''
def f() -> None:
    """Does something synchronous.

    >>> with Thing() as thing:
    ...     thing.start(
    ...         1,
    ...     )
    >>> thing.value()
    7

    After the example.
    """
'''
    assert generator.translate(code) == expected
