"""A statement of a file, found by its function and its equation, not by how its line is spelled.

    "batch_norm"           "(3)"      equation (3): the comment behind it begins with the number
    "batch_norm.backward"  "dx, dw"   what it assigns; "dx +=" is what adds to dx
    "CBAM.forward"         "return"

A function is named by its path; a statement of a function inside it is not its own.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from textwrap import indent

SCOPES = (ast.FunctionDef, ast.ClassDef)


def replaced(source: str, function: str, statement: str, put: str, nth: int = 0) -> str:
    """The source with `put`, one statement or several, in the place of this one.

    nth  which of several, from 1; 0 where there is only one

    Raises LookupError where that is not so, with how many there are.
    """
    node = found(source, function, statement, nth)
    lines = source.splitlines(keepends=True)
    wrong = indent(put, " " * node.col_offset) + "\n"
    return "".join([*lines[: node.lineno - 1], wrong, *lines[node.end_lineno :]])


def found(source: str, function: str, statement: str, nth: int = 0) -> ast.stmt:
    """The statement itself. Raises LookupError as `replaced` does."""
    equations = _equations(source)
    own = [node for scope in _scopes(source, function) for node in _own(scope)]
    named = [node for node in own if statement in _names(node, equations)]
    if not (nth <= len(named) if nth else len(named) == 1):
        raise LookupError(f"{statement!r} is found {len(named)} times in {function}")
    return named[max(nth - 1, 0)]


def _scopes(source: str, function: str) -> list[ast.AST]:
    """The functions of this path."""
    scopes: list[ast.AST] = [ast.parse(source)]
    for name in function.split("."):
        inner = [n for scope in scopes for n in _own(scope) if isinstance(n, SCOPES)]
        scopes = [n for n in inner if n.name == name]
    return scopes


def _own(scope: ast.AST) -> Iterator[ast.stmt]:
    """The statements of a scope at any depth, without those of the scopes inside it."""
    for node in ast.iter_child_nodes(scope):
        if isinstance(node, ast.stmt):
            yield node
        if not isinstance(node, SCOPES):
            yield from _own(node)


def _names(node: ast.stmt, equations: dict[int, list[str]]) -> list[str]:
    """All that a statement may be called; nothing for one that holds others."""
    if hasattr(node, "body"):
        return []
    rows = range(node.lineno, (node.end_lineno or node.lineno) + 1)
    return [number for row in rows for number in equations.get(row, [])] + list(_deeds(node))


def _deeds(node: ast.stmt) -> Iterator[str]:
    match node:
        case ast.Return():
            yield "return"
        case ast.Assign(targets=targets):
            yield from map(_spelled, targets)
        case ast.AnnAssign(target=target):
            yield _spelled(target)
        case ast.AugAssign(target=target, op=op):
            yield ast.unparse(ast.AugAssign(target, op, ast.Name("_"))).removesuffix(" _")


def _spelled(target: ast.expr) -> str:
    several = target.elts if isinstance(target, ast.Tuple) else [target]
    return ", ".join(map(ast.unparse, several))


def _equations(source: str) -> dict[int, list[str]]:
    """The numbers of equations by row: "# (1, 2) so …" has "(1)" and "(2)"."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    comments = {t.start[0]: t.string for t in tokens if t.type == tokenize.COMMENT}
    begun = {row: re.match(r"# \(([\d, ]+)\)", text) for row, text in comments.items()}
    return {row: [f"({n})" for n in re.findall(r"\d+", m[1])] for row, m in begun.items() if m}
