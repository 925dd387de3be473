"""The handwritten pages, including the README, and their code blocks."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def name_of(page: Path) -> str:
    """The path of a page inside the repository, for test ids."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, *languages: str) -> list[str]:
    """The fenced blocks in some languages."""
    pattern = rf"^```(?:{'|'.join(languages)})\b[^\n]*\n(.*?)^```$"
    return re.findall(pattern, page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def shell_lines(page: Path) -> list[list[str]]:
    """Every line of the shell blocks, split into words, without comments and `VAR=…` prefixes."""
    lines = [
        line
        for block in blocks(page, "sh")
        for joined in block.replace("\\\n", " ").splitlines()
        for line in joined.split(" && ")
    ]
    return [words for line in lines if (words := shlex.split(line, comments=True))]


def inline(page: Path, program: str) -> list[list[str]]:
    """Every inline code that calls a program, split into words."""
    text = page.read_text(encoding="utf-8")
    return [
        shlex.split(line.replace("…", ""))
        for line in re.findall(rf"`({program} [a-z][^`\n]*)`", text)
    ]
