"""The words of SVG, each once: every picture of ours is written in them.

A shape has a `look`, which is its classes; a style sheet dresses it in light, in dark and on paper. Numbers have at
most one decimal: more would differ between processors. There are no ids, so that any number of pictures can stand on
one page.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

Point = tuple[float, float]


def opening(
    kind: str, alt: str, width: int, height: int, *, title: str = "", style_sheet: str = ""
) -> list[str]:
    """The first lines of a picture and its paper; `alt` is what a screen reader says. "</svg>" ends it."""
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{kind}" role="img"'
        f' aria-label="{escape(alt)}" width="{width}" height="{height}"'
        f' viewBox="0 0 {width} {height}">'
    ]
    if title:
        lines.append(name(title))
    if style_sheet:
        lines.append(f"<style>\n{style_sheet}</style>")
    return [*lines, rect("paper", 0, 0, width, height, corner=6)]


def name(words: str) -> str:
    """What whoever points at the shape around it is told."""
    return f"<title>{escape(words)}</title>"


def group(inside: str, look: str = "", *, process: str = "", at: Point | None = None) -> str:
    """Shapes that belong together; `at` is where their 0,0 is, `process` whom they are about."""
    classes = f' class="{look}"' if look else ""
    whose = f' data-process="{escape(process)}"' if process else ""
    place = f' transform="translate({number(at[0])} {number(at[1])})"' if at else ""
    return f"<g{classes}{whose}{place}>{inside}</g>"


def layer(drawn: Iterable[str], at: Point) -> str:
    """Everything that stands on the paper, a shape a line."""
    return group("".join(f"\n{shape}" for shape in drawn) + "\n", at=at)


def text(look: str, x: float, y: float, words: str) -> str:
    return f'<text class="{look}" x="{number(x)}" y="{number(y)}">{escape(words)}</text>'


def rect(look: str, x: float, y: float, width: float, height: float, *, corner: float = 0) -> str:
    place = f' x="{number(x)}" y="{number(y)}"' if x or y else ""
    rounded = f' rx="{number(corner)}"' if corner else ""
    return (
        f'<rect class="{look}"{place} width="{number(width)}" height="{number(height)}"{rounded}/>'
    )


def circle(look: str, x: float, y: float, radius: float, inside: str = "") -> str:
    end = f">{inside}</circle>" if inside else "/>"
    return f'<circle class="{look}" cx="{number(x)}" cy="{number(y)}" r="{number(radius)}"{end}'


def polygon(look: str, *corners: Point) -> str:
    return f'<polygon class="{look}" points="{" ".join(map(_point, corners))}"/>'


def path(way: str, look: str = "", *, transform: str = "") -> str:
    """`way` is written in the words of SVG: M, L, C, H, V, Z."""
    classes = f' class="{look}"' if look else ""
    moved = f' transform="{transform}"' if transform else ""
    return f'<path{classes}{moved} d="{way}"/>'


def curve(points: Iterable[Point], more: str = "") -> str:
    """Along Bezier curves: a start, and then three points a piece; `more` goes on from there, as in a path."""
    start, *others = map(_point, points)
    return path(f"M{start}C{' '.join(others)}{more}")


def bend(start: Point, end: Point, *, sideways: bool) -> tuple[Point, ...]:
    """A curve that leaves and arrives upright, or level if `sideways`."""
    if sideways:
        half = (start[0] + end[0]) / 2
        return start, (half, start[1]), (half, end[1]), end
    half = (start[1] + end[1]) / 2
    return start, (start[0], half), (end[0], half), end


def head(*corners: Point) -> str:
    """The head of an arrow."""
    tip, *others = map(_point, corners)
    return path(f"M{tip}L{' '.join(others)}Z", "head")


def number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _point(point: Point) -> str:
    return f"{number(point[0])},{number(point[1])}"
