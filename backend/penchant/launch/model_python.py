"""Which Python a Triton's models run in, as the program that loads them tells."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

STUB = "triton_python_backend_stub"
"""The program that Triton starts for each instance of a Python model."""

_ELF = b"\x7fELF"
_MACHINES = {0x3E: "x86_64", 0xB7: "aarch64", 0x15: "ppc64le", 0xF3: "riscv64", 0x16: "s390x"}


@dataclass(frozen=True, slots=True)
class ModelPython:
    """What a compiled module must fit. Empty: not known."""

    version: str = ""
    """For example `3.11`."""
    machine: str = ""
    """For example `x86_64`."""
    libc: str = ""
    """`glibc` or `musl`."""


def python_of_stub(stub: Path) -> ModelPython:
    """The Python that a stub of Triton's Python backend is linked to.

    Raises:
        OSError: the file cannot be read.
    """
    content = stub.read_bytes()
    found = re.search(rb"libpython3(?:-[0-9a-f]+)?\.(\d+)\.so", content)
    return ModelPython(
        f"3.{found.group(1).decode()}" if found else "", machine_of(content), libc_of(content)
    )


def python_of_environment(environment: Path) -> str:
    """The version of Python of a virtual environment, such as `3.12`; empty if unknown."""
    try:
        text = (environment / "pyvenv.cfg").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    found = re.search(r"^version(?:_info)? *= *(3\.\d+)", text, re.MULTILINE)
    return found.group(1) if found else ""


def python_of_models(backends: Path, environment: Path | None) -> ModelPython:
    """The Python that the models of a Triton will run in, as far as it can be told from here.

    Args:
        backends: the Triton's backend directory.
        environment: the virtual environment that its models were given; None: the server's own.

    Raises:
        OSError: the stub cannot be read.
    """
    stub = backends / "python" / STUB
    known = python_of_stub(stub) if stub.is_file() else ModelPython()
    if known.version or environment is None:
        return known
    return replace(known, version=python_of_environment(environment))


def machine_of(content: bytes) -> str:
    """The processor that a program or library is for; empty if unknown.

    >>> machine_of(bytes.fromhex("7f454c4602010100000000000000000003003e00"))
    'x86_64'
    >>> machine_of(b"#!/bin/sh")
    ''
    """
    if not content.startswith(_ELF) or len(content) < 20:
        return ""
    number = int.from_bytes(content[18:20], "little" if content[5] == 1 else "big")
    return _MACHINES.get(number, f"machine {number:#x}")


def libc_of(content: bytes) -> str:
    """The C library that a program or library is linked to; empty if unknown.

    >>> libc_of(b"...libc.so.6..."), libc_of(b"...libc.musl-x86_64.so.1..."), libc_of(b"")
    ('glibc', 'musl', '')
    """
    if re.search(rb"ld-musl-|libc\.musl-", content):
        return "musl"
    return "glibc" if re.search(rb"libc\.so\.6|ld-linux", content) else ""
