"""The entry point of the `penchant` program, which imports nothing that an extra brings.

`pip install penchant` puts the program on the path, but only the extra `backend` brings what it
needs.
"""

from __future__ import annotations

import sys

BACKEND_MODULES = frozenset(
    {
        "cryptography",
        "cyclopts",
        "joserfc",
        "lmdb",
        "numpy",
        "onnxruntime",
        "psutil",
        "pyarrow",
        "rich",
        "scipy",
        "threadpoolctl",
        "tokenizers",
    }
)
"""Modules that the extra `backend` brings."""


def main() -> None:
    """Runs the command line; without the extra, says what to install and exits with status 1."""
    try:
        from penchant.cli.main import main as run

        run()
    except ModuleNotFoundError as error:
        module = (error.name or "").partition(".")[0]
        if module not in BACKEND_MODULES:
            raise
        print(
            f"penchant: the package {module} is missing; the command line needs the extra "
            "`backend`: `pip install 'penchant[backend]'`, in a checkout "
            "`pip install '.[backend]'`",
            file=sys.stderr,
        )
        sys.exit(1)


if __name__ == "__main__":
    main()
