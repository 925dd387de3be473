"""The Dockerfiles: linted, pinned by digest, not root; their steps that need no engine are run.

No container engine is at hand: that an image starts is not shown here.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.handwritten import ROOT

PLACE = ROOT / "deploy" / "docker"
DOCKERFILES = sorted(PLACE.glob("*.Dockerfile"))
DIGEST = f"registry.example.com/base@sha256:{'a' * 64}"


@pytest.fixture(params=DOCKERFILES, ids=lambda path: path.stem)
def dockerfile(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def instructions(path: Path) -> list[tuple[str, str]]:
    """The instructions of a Dockerfile, continued lines joined."""
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    text = re.sub(r"\\\n\s*", "", "\n".join(lines))
    split = (line.partition(" ") for line in text.splitlines() if line.strip())
    return [(name, rest.strip()) for name, _, rest in split]


def test_the_linter_finds_nothing(dockerfile: Path) -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    if not hadolint.exists():
        pytest.skip("no hadolint: pip install '.[deploy]'")
    command = [str(hadolint), "--no-color", "--failure-threshold", "info", str(dockerfile)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout


def test_the_base_has_no_default_and_none_but_it_is_used(dockerfile: Path) -> None:
    steps = instructions(dockerfile)
    name, base = steps[0]
    assert name == "ARG"
    assert "=" not in base, "a default would be a tag that moves"
    sources = [rest.split()[0] for kind, rest in steps if kind == "FROM"]
    assert set(sources) == {f"${{{base}}}", "base"}
    assert not re.search(r"[\w-]+\.(?:io|com|dev)/", dockerfile.read_text())


@pytest.mark.parametrize(
    ("image", "status"),
    [(DIGEST, 0), ("base:3.11-slim", 1), ("", 1), ("base@sha256:abc", 1), (f"{DIGEST}0", 1)],
    ids=["digest", "tag", "empty", "short", "long"],
)
def test_a_base_without_a_digest_ends_the_build(dockerfile: Path, image: str, status: int) -> None:
    """The very step, run by the shell that the file names."""
    steps = instructions(dockerfile)
    base = steps[0][1]
    (step,) = (rest for kind, rest in steps if kind == "RUN" and "sha256" in rest)
    shell = ["/bin/bash", "-euo", "pipefail", "-c"]
    assert ("SHELL", str(shell).replace("'", '"')) in steps
    ran = subprocess.run(
        [*shell, step], env={**os.environ, base: image}, capture_output=True, text=True, check=False
    )
    assert ran.returncode == status, ran.stderr
    assert (f"{base}: got '{image}', expected IMAGE@sha256:DIGEST" in ran.stderr) == bool(status)


def test_what_runs_is_not_root_and_says_whether_it_works(dockerfile: Path) -> None:
    last = instructions(dockerfile)
    last = last[max(place for place, (kind, _) in enumerate(last) if kind == "FROM") :]
    by_kind = dict(last)
    assert by_kind["USER"] == "10001:10001"
    assert by_kind["HEALTHCHECK"].endswith('CMD ["penchant", "probe"]')
    assert by_kind["ENTRYPOINT"] == '["penchant"]'
    assert by_kind["VOLUME"] == '["/var/lib/penchant", "/run/penchant"]'
    assert "ADD" not in by_kind
    # What runs while the image is built is not in the image.
    assert not [rest for kind, rest in last if kind == "RUN" and ("pip" in rest or "apt" in rest)]


def test_an_image_has_the_pinned_packages_and_a_list_of_them(dockerfile: Path) -> None:
    pins = dict(re.findall(r"^([\w-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(), re.M))
    newer = dict(
        re.findall(r"^([\w-]+)==(\S+)$", (ROOT / "constraints-numpy2.txt").read_text(), re.M)
    )
    text = dockerfile.read_text()
    if "pytriton" in text:
        assert f"/opt/penchant {pins['numpy']} " in text
        assert f"nvidia-pytriton=={pins['nvidia-pytriton']}" in text
    else:
        assert f"ARG NUMPY={newer['numpy']}" in text
    script = (PLACE / "build-environment.sh").read_text()
    assert '-c "$pins"' in script
    assert "sbom.cdx.json" in script
    # The compiled module: built by tools that are not in the image, before the list is made.
    built = script.index('native/build_module.py --into "$home/venv/bin/python"')
    assert script.index('-m venv "$tools"') < built < script.index("cyclonedx-py")


def test_the_script_is_one_that_a_plain_shell_reads() -> None:
    script = PLACE / "build-environment.sh"
    assert os.access(script, os.X_OK)
    subprocess.run(["sh", "-n", script], check=True)


def sent() -> list[str]:
    """The paths that .dockerignore lets through."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert lines[1] == "*", "nothing is sent but what is named"
    return [line.removeprefix("!") for line in lines if line.startswith("!")]


def test_the_context_holds_what_a_wheel_needs_and_no_store_or_key(tmp_path: Path) -> None:
    context = tmp_path / "context"
    for name in sent():
        source, target = ROOT / name, context / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    assert not {".git", ".venv", ".penchant", "certs"} & {path.name for path in context.iterdir()}
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=context, check=True, capture_output=True, timeout=600)
    assert len(list(tmp_path.glob("penchant-*.whl"))) == 1
    assert (context / "native" / "build_module.py").is_file()
    assert (context / "native" / "CMakeLists.txt").is_file()
