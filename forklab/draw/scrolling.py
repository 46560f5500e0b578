"""Pictures that are wider than the page."""

from __future__ import annotations

from forklab.draw.templates import template


def scrolling(svg: str, label: str = "process tree") -> str:
    """`svg` in a frame of HTML: on a narrow screen the picture scrolls, the page does not.

    The keyboard scrolls it too. The page needs STYLE_SHEET.
    """
    return template("draw/scrolling.html")(svg=svg, label=label)
