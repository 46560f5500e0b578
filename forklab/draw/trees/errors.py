"""Why there is no picture of a tree."""

from __future__ import annotations


class GraphvizMissingError(RuntimeError):
    """Neither pygraphviz nor `dot` is here."""


class GraphvizFailedError(RuntimeError):
    """Graphviz did not understand the graph, or broke."""
