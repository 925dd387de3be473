"""The docstrings below the attributes of a class, read from its source."""

from __future__ import annotations

import ast
import inspect
import textwrap


def attribute_docs(cls: type) -> dict[str, str]:
    """Each attribute's docstring on one line, by name.

    >>> from penchant.domain.settings import FoldSettings
    >>> attribute_docs(FoldSettings)["window_events"]
    "W: events kept in a user's record; older ones stay in the log alone."
    """
    (node,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    assert isinstance(node, ast.ClassDef)
    return {
        target.id: " ".join(ast.literal_eval(second.value).split())
        for first, second in zip(node.body, node.body[1:], strict=False)
        for target in _targets(first)
        if isinstance(target, ast.Name)
        if isinstance(second, ast.Expr) and isinstance(second.value, ast.Constant)
    }


def _targets(statement: ast.stmt) -> list[ast.expr]:
    if isinstance(statement, ast.Assign):  # A member of an enumeration.
        return statement.targets
    return [statement.target] if isinstance(statement, ast.AnnAssign) else []
