"""Pictures of process trees: SVG, PNG and text, all from the same cards and in the same words."""

from __future__ import annotations

from forklab.draw.film.page import film_html
from forklab.draw.lanes.picture import LANES_STYLE_SHEET, lanes_svg
from forklab.draw.templates import template
from forklab.draw.trees.dot import tree_dot, tree_png
from forklab.draw.trees.legend import legend_svg
from forklab.draw.trees.picture import tree_svg
from forklab.draw.trees.render import GraphvizFailedError, GraphvizMissingError
from forklab.draw.trees.style import STYLE_SHEET
from forklab.draw.trees.text import alt_text, tree_text

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


def scrolling(svg: str, label: str = "process tree") -> str:
    """`svg` in a frame of HTML: on a narrow screen the picture scrolls, the page does not.

    The keyboard scrolls it too. The page needs STYLE_SHEET.
    """
    return template("draw/scrolling.html")(svg=svg, label=label)
