"""The edge to Graphviz: where things go, and PNG.

Graphviz comes with the wheel of pygraphviz (see bundled.py), or as the program `dot`; whichever is there
is used. The C library is not thread-safe and runs in this process, so only one thread at a time gets in.
PNG needs fonts and with them Fontconfig, which writes warnings to standard error: so PNG is made in a
process of its own, where nobody sees them.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType
from typing import NotRequired, TypedDict

import graphviz

from forklab.draw.shapes import Point
from forklab.draw.trees.bundled import bundled_layout
from forklab.draw.trees.errors import GraphvizFailedError, GraphvizMissingError

SECONDS = 60.0  # for one call of a Graphviz program: a picture takes milliseconds
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class Layout:
    """Where everything goes, in pixels from the top left.

    `nodes` has the middle of each by its name, `routes` the way of each edge by its id: a Bezier
    curve, a start and then three points a piece.
    """

    width: float
    height: float
    nodes: Mapping[str, Point]
    routes: Mapping[str, tuple[Point, ...]]


@lru_cache(maxsize=4096)
def layout(source: str) -> Layout:
    """Where Graphviz puts the graph in DOT `source`; its edges need ids.

    Raises GraphvizMissingError or GraphvizFailedError.
    """
    return _read(json.loads(_run_in_process(source) or _run_dot(source, "json0")))


def png(graph: graphviz.Digraph, *, dots_per_inch: int = 144) -> bytes:
    """`graph` as PNG, in this machine's fonts; a pixel of the SVG is `dots_per_inch` / 72 of it.

    Raises GraphvizMissingError or GraphvizFailedError.
    """
    drawing = graph.copy()
    drawing.attr(dpi=str(dots_per_inch), bgcolor="white")
    if _pygraphviz() is None:
        return _run_dot(drawing.source, "png")
    return _run([sys.executable, "-P", "-c", _PNG_PROGRAM], drawing.source)


_PNG_PROGRAM = """
import sys, pygraphviz
graph = pygraphviz.AGraph(string=sys.stdin.buffer.read().decode())
sys.stdout.buffer.write(graph.draw(format="png", prog="dot"))
"""


def _pygraphviz() -> ModuleType | None:
    """The package, or None: it may be absent, and it may be there but lack its library."""
    try:
        import pygraphviz
    except ImportError:
        return None
    package: ModuleType = pygraphviz
    return package


def _run_in_process(source: str) -> bytes | None:
    bundled = bundled_layout()
    if bundled is None:
        return None
    with _ONE_AT_A_TIME:
        try:
            return bundled(source)
        except ValueError as error:
            raise GraphvizFailedError(f"Graphviz could not lay out a tree: {error}") from error


def _run_dot(source: str, form: str) -> bytes:
    program = shutil.which("dot")
    if program is None:
        raise GraphvizMissingError(
            "Pictures need Graphviz, and it is not here.\n"
            f"  Get it with the Python package: {sys.executable} -m pip install pygraphviz\n"
            "  or with the system: sudo apt-get install graphviz (Debian, Ubuntu)"
        )
    return _run([program, f"-T{form}"], source)


def _run(command: list[str], source: str) -> bytes:
    try:
        done = subprocess.run(
            command, input=source.encode(), capture_output=True, timeout=SECONDS, check=True
        )
    except subprocess.CalledProcessError as error:
        words = error.stderr.decode(errors="replace").strip()
        raise GraphvizFailedError(f"Graphviz could not draw a tree: {words}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise GraphvizFailedError(f"Graphviz could not draw a tree: {error}") from error
    return done.stdout


class _Node(TypedDict):
    name: str
    pos: str


class _Edge(TypedDict):
    id: str
    pos: str


class _Graph(TypedDict):
    """Of Graphviz's JSON what we read; see https://graphviz.org/docs/outputs/json/."""

    bb: str
    objects: NotRequired[list[_Node]]
    edges: NotRequired[list[_Edge]]


def _read(form: _Graph) -> Layout:
    """It counts upwards from the bottom, in points; a point is a pixel of ours."""
    left, bottom, right, top = map(float, form["bb"].split(","))

    def point(text: str) -> Point:
        x, y = text.split(",")
        return round(float(x) - left, 1), round(top - float(y), 1)

    def route(edge: _Edge) -> tuple[Point, ...]:
        arrows = ("e,", "s,")  # the tips of arrows stand before the curve
        return tuple(point(part) for part in edge["pos"].split() if not part.startswith(arrows))

    return Layout(
        right - left,
        top - bottom,
        {node["name"]: point(node["pos"]) for node in form.get("objects", [])},
        {edge["id"]: route(edge) for edge in form.get("edges", [])},
    )
