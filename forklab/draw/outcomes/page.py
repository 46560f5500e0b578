"""All that a program can print, on one screen: a box for each output, and the process graph that says why no others.

The same bytes for the same exploration.
"""

from __future__ import annotations

from forklab.draw.outcomes.boxes import boxes
from forklab.draw.outcomes.graph_picture import process_graph_svg
from forklab.draw.templates import template
from forklab.explore import Exploration

SHOWN = 50  # boxes


def outcomes_html(found: Exploration) -> str:
    """A fragment; any number of them may stand on one page."""
    graph = found.process_graph
    stuck = [bool(outcome.deadlock) for outcome in found.outcomes]
    return template("draw/outcomes/outcomes.html")(
        found=found,
        always_stuck=all(stuck),
        ever_stuck=any(stuck),
        boxes=boxes(found, graph, SHOWN),
        more=len(found.outputs) - SHOWN,
        graph=process_graph_svg(graph),
        all_always=all(vertex.always for vertex in graph.vertices),
    )


def reason_html(text: str) -> str:
    """An answer of `forklab.explore.why`: its first line is the verdict."""
    verdict, _, argument = text.partition("\n")
    return template("draw/outcomes/reason.html")(verdict=verdict, argument=argument)
