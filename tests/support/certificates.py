"""An authority and certificates for tests, made by the program openssl."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest


class Authority:
    """Signs certificates in a directory; skips the test where there is no openssl."""

    def __init__(self, directory: Path, name: str = "authority") -> None:
        if shutil.which("openssl") is None:
            pytest.skip("no openssl on this machine")
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._key = directory / f"{name}.key"
        self.ca = directory / f"{name}.pem"
        self._run(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-keyout", self._key, "-out", self.ca, "-subj", f"/CN={name}", "-days", "2",
        )  # fmt: skip

    def sign(self, name: str, usage: str = "", days: int = 2) -> tuple[Path, Path]:
        """A certificate for a host name, and its key; `usage` limits what it is good for."""
        key, request, cert = (self._directory / f"{name}{end}" for end in (".key", ".csr", ".pem"))
        extensions = self._directory / f"{name}.ext"
        lines = [f"subjectAltName=DNS:{name}"]
        if usage:
            lines.append(f"extendedKeyUsage={usage}")
        extensions.write_text("\n".join(lines))
        self._run(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-keyout", key, "-out", request, "-subj", f"/CN={name}",
        )  # fmt: skip
        self._run(
            "x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self._key, "-out", cert,
            "-days", str(days), "-CAcreateserial", "-extfile", extensions,
        )  # fmt: skip
        return cert, key

    def _run(self, *arguments: object) -> None:
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
