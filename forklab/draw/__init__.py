"""Pictures of process trees: SVG, PNG and text, all from the same cards and in the same words."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from forklab.draw.dot import dress, plan, tree_dot
from forklab.draw.film import film_html
from forklab.draw.lanes import LANES_STYLE_SHEET, lanes_svg
from forklab.draw.legend import legend_svg
from forklab.draw.palette import STYLE_SHEET
from forklab.draw.render import GraphvizFailedError, GraphvizMissingError, png
from forklab.draw.svg import draw
from forklab.draw.text import alt_text, tree_text
from forklab.history import Remark, Tree

__all__ = [
    "LANES_STYLE_SHEET",
    "STYLE_SHEET",
    "GraphvizFailedError",
    "GraphvizMissingError",
    "alt_text",
    "film_html",
    "lanes_svg",
    "legend_svg",
    "scrolling",
    "tree_dot",
    "tree_png",
    "tree_svg",
    "tree_text",
]


def tree_svg(
    tree: Tree,
    remarks: Mapping[str, Remark] | None = None,
    title: str | None = None,
    *,
    styled: bool = True,
) -> str:
    """The tree as one <svg> element, the same bytes on every machine with the same Graphviz.

    It has no prolog and no ids. It stands alone as a file if `styled`; a page that shows many
    passes styled=False and has STYLE_SHEET once. Raises GraphvizMissingError or
    GraphvizFailedError.
    """
    return draw(plan(tree, remarks, title), styled=styled)


def tree_png(
    tree: Tree, remarks: Mapping[str, Remark] | None = None, title: str | None = None
) -> bytes:
    """The tree as PNG on white, two pixels of it for one of the SVG, in the fonts of this machine.

    Raises GraphvizMissingError or GraphvizFailedError.
    """
    return png(dress(plan(tree, remarks, title)))


def scrolling(svg: str, label: str = "process tree") -> str:
    """`svg` in a frame of HTML: on a narrow screen the picture scrolls, the page does not.

    The keyboard scrolls it too. The page needs STYLE_SHEET.
    """
    return (
        f'<div class="forklab-picture" role="group" tabindex="0" aria-label="{escape(label)}">'
        f"{svg}</div>"
    )
