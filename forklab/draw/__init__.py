"""Pictures of what processes did: SVG, PNG, HTML and text, in the same words and the same colours.

    trees/       one moment: as a picture, as text, as a graph for Graphviz, read aloud; and the legend
    lanes/       all of it, from left to right: a lane for each process
    film/        all of it, event by event, on a page that plays
    outcomes/    all that could have been, and what has to come before what; this alone knows of forklab.explore

What they share stands beside them: palette.py and stylesheet.py for the looks, shapes.py for SVG, templates.py for
HTML, measure.py, fold.py and characters.py for what is written in them, chronology.py for those that tell of time.
"""

from __future__ import annotations

from forklab.draw.film.page import film_html
from forklab.draw.lanes.picture import lanes_svg
from forklab.draw.lanes.style import LANES_STYLE_SHEET
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
