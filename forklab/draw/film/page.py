"""The film of a history: one piece of HTML that plays by itself, in any browser and in notebooks, without a network.

The picture is laid out once for all frames, so nothing jumps; what changes from frame to frame is classes and words,
and stands in the page as JSON. Where scripts do not run, the last frame is there as a picture, with its caption and all
output. The script and the styles are in player.js and player.css.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

from forklab.draw.characters import single_line
from forklab.draw.film.frames import Cast, Frame, Kin, cast, frames
from forklab.draw.film.picture import card_of, picture, scene
from forklab.draw.trees.sizes import box
from forklab.draw.trees.style import STYLE_SHEET
from forklab.history import Event, History, Node

HUES = 6  # colours that tell the writers of output apart; player.css has them


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
    seconds. The same bytes for the same history. Raises
    GraphvizMissingError or GraphvizFailedError.
    """
    title = single_line(title)
    fragment = _fragment(history, title, start, clock)
    if not page:
        return fragment
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title>"
        "<style>body{margin:0 auto;padding:12px;max-width:1100px;background:#fff}"
        "@media screen and (prefers-color-scheme:dark){body{background:#11161c}}</style>"
        f"</head><body>\n{fragment}</body></html>\n"
    )


def _fragment(
    history: History, title: str, start: int | None, clock: Callable[[float], str] | None
) -> str:
    taking_part, film = cast(history), frames(history, clock)
    label = escape(f"Film: {title}")
    if not film:
        return f'<section class="forklab-film" aria-label="{label}"><p>Nothing happened.</p></section>\n'
    first = 0 if start is None else min(max(start, 0), len(film) - 1)
    return (
        f'<section class="forklab-film" tabindex="0" aria-label="{label}"'
        ' data-lm-suppress-shortcuts="true">\n'  # those of JupyterLab
        f"<style>\n{STYLE_SHEET}{_player('css')}</style>\n"
        f"{_CONTROLS}"
        '<p class="film-caption" aria-live="polite">'
        f'<span class="film-clock">{escape(film[-1].clock)}</span>'
        f'<span class="film-words">{escape(film[-1].caption)}</span></p>\n'
        '<div class="forklab-picture" role="group" tabindex="0" aria-label="process tree">\n'
        f"{_last_picture(taking_part, film)}\n</div>\n"
        f"{_left_out(taking_part)}{_output(history)}"
        f'<script type="application/json">{_story(history, taking_part, film, first)}</script>\n'
        f"</section>\n<script>\n{_player('js')}</script>\n"
    )


_CONTROLS = (
    '<div class="film-controls" hidden>'
    '<button type="button" class="film-play">Play</button>'
    '<button type="button" class="film-back" aria-label="one event back">◀</button>'
    '<button type="button" class="film-forward" aria-label="one event on">▶</button>'
    '<input type="range" class="film-time" min="0" value="0" aria-label="time">'
    '<span class="film-count" aria-hidden="true"></span></div>\n'
)


@cache
def _player(kind: str) -> str:
    return files("forklab.draw.film").joinpath(f"player.{kind}").read_text(encoding="utf-8")


def _last_picture(taking_part: Cast, film: tuple[Frame, ...]) -> str:
    nodes: dict[str, Node] = {}
    lines: dict[Kin, str] = {}
    for frame in film:
        nodes |= frame.nodes
        lines |= frame.lines
    return picture(taking_part, scene(taking_part, film), nodes, lines)


def _left_out(taking_part: Cast) -> str:
    if not taking_part.left_out:
        return ""
    return f'<p class="film-note">{taking_part.left_out} more processes are told of, but not drawn.</p>\n'


def _output(history: History) -> str:
    """What each process wrote; the script hides what is not yet written."""
    written = [event for event in history.events if event.kind == "output"]
    if not written:
        return ""
    numbers = {process.name: number for number, process in enumerate(history.processes)}
    lines = "".join(_line(event, numbers.get(event.process, 0) % HUES) for event in written)
    return f'<div class="film-output" role="list" aria-label="output">{lines}</div>\n'


def _line(event: Event, hue: int) -> str:
    text = "".join(
        c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}"
        for c in (event.text or "").removesuffix("\n")
    )
    name = f'<b class="hue-{hue}">{escape(single_line(event.process))}</b>'
    return f'<div role="listitem" data-frame="{event.n}">{name}<span>{escape(text)}</span></div>'


def _story(history: History, taking_part: Cast, film: tuple[Frame, ...], start: int) -> str:
    """What the script needs: by frame its words, and the looks of cards and lines that are new in it."""
    place = {name: number for number, name in enumerate(taking_part.names)}
    line_place = {kin: number for number, kin in enumerate(taking_part.lines)}

    def look(node: Node) -> list[Any]:
        card = card_of(node, taking_part)
        return [card.number, card.classes, list(box(card).words), card.parent]

    told = [
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
        "frames": told,
    }
    text = json.dumps(story, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")  # no "</script>" may end it
