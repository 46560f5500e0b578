"""Whether a Python program may depend on hashes, as far as its text says: then it is worth to look more often."""

from __future__ import annotations

import ast
import sys
from collections.abc import Sequence
from pathlib import Path

# What is, makes, or hides a set, or tells a hash or an address.
_NAMES = frozenset(
    {"set", "frozenset", "hash", "__hash__", "id", "valid_signals", "active_children", "ctypes"}
)
_VIEWS = frozenset({"keys", "items"})  # what comes of these by an operator is a set
_OPERATORS = (ast.BitAnd, ast.BitOr, ast.BitXor, ast.Sub)


def may_matter(argv: Sequence[str]) -> bool:
    """`python FILE` and `python -c TEXT` are looked at; also what cannot be read may well do so."""
    try:
        text = argv[2] if argv[1] == "-c" else Path(argv[1]).read_text(encoding="utf-8")
        return any(map(_matters, ast.walk(ast.parse(text))))
    except (IndexError, OSError, SyntaxError, ValueError):
        return True


def _matters(node: ast.AST) -> bool:
    match node:
        case ast.Set() | ast.SetComp():
            return True
        case ast.Name(name) | ast.Attribute(attr=name):
            return name in _NAMES
        case ast.BinOp(ast.Call(ast.Attribute(attr=name)), operator, _):
            return name in _VIEWS and isinstance(operator, _OPERATORS)
        case ast.BinOp(_, operator, ast.Call(ast.Attribute(attr=name))):
            return name in _VIEWS and isinstance(operator, _OPERATORS)
        case ast.Import(names):
            return not all(_is_pythons(alias.name) for alias in names)
        case ast.ImportFrom(module=module, names=names):
            mine = {alias.name for alias in names} & _NAMES
            return module is None or bool(mine) or not _is_pythons(module)
    return False


def _is_pythons(module: str) -> bool:
    name = module.split(".")[0]
    return name in sys.stdlib_module_names and name not in _NAMES
