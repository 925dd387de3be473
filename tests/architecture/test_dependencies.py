"""What an installation brings along, that it is pinned, and that each package has its reason."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from email.parser import Parser
from zipfile import ZipFile

import pytest

from penchant.cli.entry import BACKEND_MODULES
from tests.architecture.source_tree import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def name_of(requirement: str) -> str:
    """`penchant[backend]>=1; marker` → `penchant`, as package indexes spell it."""
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match is not None, requirement
    return re.sub(r"[-_.]+", "-", match[0]).lower()


def pins(file: str) -> dict[str, str]:
    """Package to version, as a file of constraints says."""
    lines = (ROOT / file).read_text().splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {name_of(name): version for name, version in pairs}


def declared() -> list[str]:
    """The names of all dependencies, those of the extras included, without Penchant itself."""
    extras = PROJECT["optional-dependencies"].values()
    requirements = [*PROJECT["dependencies"], *(entry for extra in extras for entry in extra)]
    return sorted({name_of(requirement) for requirement in requirements} - {"penchant"})


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ZipFile]:
    directory = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(directory)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=6000)
    (path,) = directory.glob("*.whl")
    with ZipFile(path) as archive:
        yield archive


def test_a_plain_install_brings_grpc_and_protobuf_alone(wheel: ZipFile) -> None:
    (metadata,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    requirements = Parser().parsestr(wheel.read(metadata).decode()).get_all("Requires-Dist") or []
    plain = {name_of(entry) for entry in requirements if "extra ==" not in entry}
    assert plain == {"grpcio", "protobuf"}


HEAVY = frozenset(
    {"torch", "lmdb", "onnxruntime", "tokenizers", "scipy", "pyarrow", "cyclopts", "rich", "psutil"}
)
"""Modules of the backend's packages that a client never needs."""


def printed(program: str) -> str:
    """What a program prints in an interpreter of its own."""
    command = [sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=600).stdout


def loaded_by(statements: str) -> set[str]:
    """The top-level modules that are loaded after some statements."""
    return set(
        printed(
            f"import sys; {statements}; "
            "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
        ).split()
    )


def test_importing_the_sdk_loads_nothing_of_the_backend() -> None:
    loaded = loaded_by("import penchant_sdk")
    assert "penchant_sdk" in loaded
    assert loaded & {"numpy", "penchant", "threadpoolctl", *HEAVY} == set()


def test_the_fake_needs_numpy_and_threadpoolctl_alone_of_the_backends_packages() -> None:
    loaded = loaded_by(
        "from penchant_sdk import Event, Item; from penchant_sdk.testing import FakePenchant; "
        "fake = FakePenchant(); fake.put_items([Item('a', 'a')]); "
        "fake.feedback([Event('u', 'a', 'like')]); fake.rank('u', query='a')"
    )
    assert {"numpy", "penchant", "threadpoolctl"} <= loaded
    assert loaded & HEAVY == set()


@pytest.mark.parametrize("package", ["numpy", "threadpoolctl"])
def test_without_the_backends_packages_the_fake_says_what_to_install(package: str) -> None:
    message = printed(
        f"""
import sys, penchant_sdk
sys.modules[{package!r}] = None
try:
    import penchant_sdk.testing
except ImportError as error:
    print(error)
"""
    )
    expected = f"needs the package {package}: pip install 'penchant[backend]'"
    assert message.strip() == f"penchant_sdk.testing {expected}"


@pytest.mark.parametrize("package", ["numpy", "hassil"])
def test_without_its_packages_the_home_client_says_what_to_install(package: str) -> None:
    message = printed(
        f"""
import sys
sys.modules[{package!r}] = None
try:
    import penchant_sdk.home
except ImportError as error:
    print(error)
"""
    )
    expected = f"needs the package {package}: pip install 'penchant[home]'"
    assert message.strip() == f"penchant_sdk.home {expected}"


def test_without_the_extra_the_command_says_what_to_install() -> None:
    paths = [str(ROOT / folder) for folder in ("proto", "sdk", "backend")]
    program = f"import sys; sys.path += {paths}; from penchant.cli.entry import main; main()"
    # -S leaves out site-packages: the interpreter of a plain `pip install`, grpcio aside.
    command = [sys.executable, "-I", "-S", "-c", program]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr == (
        "penchant: the package cyclopts is missing; the command line needs the extra `backend`: "
        "`pip install 'penchant[backend]'`, in a checkout `pip install '.[backend]'`\n"
    )


def test_the_command_knows_all_packages_of_its_extra() -> None:
    backend = PROJECT["optional-dependencies"]["backend"]
    assert {name_of(requirement) for requirement in backend} == BACKEND_MODULES
    # The program starts where nothing of them is imported.
    assert PROJECT["scripts"] == {"penchant": "penchant.cli.entry:main"}
    loaded = loaded_by("import penchant.cli.entry")
    assert loaded & BACKEND_MODULES == set()


def test_the_wheel_carries_what_a_server_needs(wheel: ZipFile) -> None:
    names = set(wheel.namelist())
    models = {path.name for path in (ROOT / "model_repository").iterdir() if path.is_dir()}
    assert models
    assert {
        "penchant_sdk/__init__.py",
        "penchant_sdk/py.typed",
        "penchant_proto/py.typed",
        "penchant/py.typed",
        "penchant/_triton/model.py",
        *(f"penchant/_triton/model_repository/{model}/config.pbtxt" for model in models),
    } <= names
    assert not [name for name in names if name.startswith(("tests", "benchmarks", "loadtest"))]


def test_every_dependency_is_pinned() -> None:
    assert set(declared()) - pins("constraints.txt").keys() == set()


def test_the_compiled_module_has_the_products_version_and_is_built_by_what_is_pinned() -> None:
    native = tomllib.loads((ROOT / "native" / "pyproject.toml").read_text())
    assert native["project"]["version"] == PROJECT["version"]
    pinned = pins("constraints.txt")
    required = [entry.split("==") for entry in native["build-system"]["requires"]]
    assert {name_of(name): version for name, version in required}.items() <= pinned.items()
    assert {"cmake", "ninja", "ziglang"} <= pinned.keys()


def test_both_environments_have_the_same_versions_but_for_numpy() -> None:
    main, second = pins("constraints.txt"), pins("constraints-numpy2.txt")
    assert {name for name, version in second.items() if main.get(name) != version} == {"numpy"}
    assert main["numpy"].startswith("1.26.")
    assert second["numpy"].startswith("2.")


@pytest.mark.parametrize("name", declared())
def test_every_dependency_is_listed_with_its_reason(name: str) -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    assert re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text, re.IGNORECASE), (
        f"ARCHITECTURE.md does not say why {name} is needed"
    )
