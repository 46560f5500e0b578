"""The film of a history: one piece of HTML that plays by itself, in any browser and in notebooks, without a network.

The picture is laid out once for all frames, so nothing jumps; what changes from frame to frame is classes and words,
and stands in the page as JSON. Where scripts do not run, the last frame is there as a picture, with its caption and all
output. player.js is the script, player.css its style.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import NamedTuple

from forklab.draw.characters import single_line, visible
from forklab.draw.film.frames import Cast, Frame, Kin, cast, frames
from forklab.draw.film.picture import card_of, picture, scene
from forklab.draw.palette import HUES
from forklab.draw.templates import template
from forklab.draw.trees.sizes import box
from forklab.draw.trees.style import STYLE_SHEET
from forklab.history import History, Node
from forklab.jsonform import Json


def film_html(
    history: History,
    *,
    title: str = "film",
    page: bool = True,
    start: int | None = None,
    clock: Callable[[float], str] | None = None,
) -> str:
    """The film of `history`: a whole page, or a fragment of which any number may stand on one page.

    It opens at event number `start`, else at the first one. `clock` words the time of an event; without it, times are
    seconds. The same bytes for the same history. Raises GraphvizMissingError or GraphvizFailedError.
    """
    taking_part, film = cast(history), frames(history, clock)
    fill = template("draw/film/page.html" if page else "draw/film/film.html")
    if not film:
        return fill(title=single_line(title), last=None)
    first = 0 if start is None else min(max(start, 0), len(film) - 1)
    return fill(
        title=single_line(title),
        last=film[-1],
        style=STYLE_SHEET,
        picture=_last_picture(taking_part, film),
        left_out=taking_part.left_out,
        output=_output(history),
        story=_story(history, taking_part, film, first),
    )


def _last_picture(taking_part: Cast, film: tuple[Frame, ...]) -> str:
    nodes: dict[str, Node] = {}
    lines: dict[Kin, str] = {}
    for frame in film:
        nodes |= frame.nodes
        lines |= frame.lines
    return picture(taking_part, scene(taking_part, film), nodes, lines)


class _OutputLine(NamedTuple):
    """What somebody wrote; the script hides it before the `frame` in which it is written."""

    frame: int
    hue: int
    writer: str
    text: str


def _output(history: History) -> list[_OutputLine]:
    numbers = {process.name: number for number, process in enumerate(history.processes)}
    return [
        _OutputLine(
            event.n,
            numbers.get(event.process, 0) % HUES,
            single_line(event.process),
            visible((event.text or "").removesuffix("\n"), also="\n\t"),
        )
        for event in history.events
        if event.kind == "output"
    ]


def _story(history: History, taking_part: Cast, film: tuple[Frame, ...], start: int) -> str:
    """What the script needs: by frame its words, and the looks of cards and lines that are new in it."""
    place = {name: number for number, name in enumerate(taking_part.names)}
    line_place = {kin: number for number, kin in enumerate(taking_part.lines)}

    def look(node: Node) -> Json:
        card = card_of(node, taking_part)
        return [card.number, card.classes, list(box(card).words), card.parent]

    changes = [
        {
            "caption": frame.caption,
            "clock": frame.clock,
            "actors": [place[name] for name in frame.actors],
            "cards": [look(node) for node in frame.nodes.values()],
            "lines": [[line_place[kin], classes] for kin, classes in frame.lines.items()],
        }
        for frame in film
    ]
    story = {
        "start": start,
        "names": [single_line(name) for name in taking_part.names],
        "pids": [history.process(name).pid for name in taking_part.names],
        "lines": len(taking_part.lines),
        "frames": changes,
    }
    text = json.dumps(story, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")  # no "</script>" may end it
