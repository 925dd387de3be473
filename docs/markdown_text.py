"""Markdown from values: tables, blocks, pages."""

from __future__ import annotations

from collections.abc import Iterable


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '¦') for cell in row)} |" for row in lines)


def fenced(text: str, language: str = "text") -> str:
    """A block of text, plain by default."""
    return f"```{language}\n{text}\n```"


def page(parts: Iterable[str]) -> str:
    """Blocks of Markdown as one page."""
    return "\n\n".join(parts) + "\n"
