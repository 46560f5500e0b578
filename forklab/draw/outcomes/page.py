"""All that a program can print, on one screen: a box for each output, and the process graph that says why no others.

A box has the lines with the name of who writes them, as in a film, and below them how it can end. The same bytes for
the same exploration.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from functools import cache
from html import escape
from importlib.resources import files
from itertools import groupby

from forklab.draw.outcomes.graph_picture import process_graph_svg
from forklab.draw.palette import HUES
from forklab.explore.order import Kind, ProcessGraph, process_graph
from forklab.explore.outcome import Exploration, Outcome

SHOWN = 50  # boxes
_Way = tuple[int, Outcome]  # with its number


def outcomes_html(found: Exploration) -> str:
    """A fragment; any number of them may stand on one page."""
    graph = process_graph(found.graph)
    boxes: dict[str, list[_Way]] = {}
    for number, outcome in enumerate(found.outcomes, start=1):
        boxes.setdefault(outcome.output, []).append((number, outcome))
    alone = _each_text_has_one_writer(graph)
    orphans = any(outcome.unreaped for outcome in found.outcomes)
    hues = _hues(graph, first=int(orphans))
    drawn = "".join(_box(ways, hues if alone else {}) for ways in list(boxes.values())[:SHOWN])
    more = len(boxes) - SHOWN
    return (
        '<section class="forklab-outputs" aria-label="All outputs">\n'
        f"<style>\n{_style_sheet()}</style>\n"
        f"{_heading(found)}"
        f'<div class="outputs-boxes" role="list">\n{drawn}</div>\n'
        + (f'<p class="outputs-note">… and {more:,} more.</p>\n' if more > 0 else "")
        + _order(graph)
        + "</section>\n"
    )


@cache
def _style_sheet() -> str:
    return files("forklab.draw.outcomes").joinpath("outcomes.css").read_text(encoding="utf-8")


def _heading(found: Exploration) -> str:
    outputs = _counted(len(found.outputs), "output")
    schedules = _counted(found.schedules, "schedule")
    if found.complete:
        deadlock = _deadlock(found)
        return f'<p class="outputs-count"><b>{outputs}</b>, and no others ({schedules}).{deadlock}</p>\n'
    reasons = "".join(
        f'<p class="outputs-doubt">{escape(reason)}</p>\n' for reason in found.reasons
    )
    return (
        f'<p class="outputs-count"><b>{outputs}</b> at least ({schedules} so far).'
        f" This may not be all:</p>\n{reasons}"
    )


def _deadlock(found: Exploration) -> str:
    stuck = [bool(outcome.deadlock) for outcome in found.outcomes]
    if not any(stuck):
        return ""
    return f" It {'always comes' if all(stuck) else 'can come'} to a deadlock."


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _each_text_has_one_writer(graph: ProcessGraph) -> bool:
    """Else a name at a line would tell of one schedule, and of others not."""
    writers: dict[str, str] = {}
    return all(
        writers.setdefault(vertex.text, vertex.process) == vertex.process
        for vertex in graph.vertices
        if vertex.kind is Kind.WRITE
    )


def _hues(graph: ProcessGraph, first: int) -> dict[str, int]:
    """The colours of its films. Where somebody has no parent any more, the first one is that of init."""
    names = dict.fromkeys(vertex.process for vertex in graph.vertices)
    return {name: number % HUES for number, name in enumerate(sorted(names), first)}


def _box(ways: Sequence[_Way], hues: dict[str, int]) -> str:
    first = ways[0][1]
    lines = "".join(_line(text, writers, hues) for text, writers in _lines(first))
    if not first.output:
        lines = '<div class="outputs-silent">prints nothing</div>'
    ends = [_ending(list(alike)) for _, alike in groupby(ways, key=_how)]
    stuck = " outputs-stuck" if any(outcome.deadlock for _, outcome in ways) else ""
    return (
        f'<div class="outputs-box{stuck}" role="listitem"><div class="outputs-text">{lines}</div>'
        f'<div class="outputs-ends">{"".join(ends)}</div></div>\n'
    )


def _lines(outcome: Outcome) -> list[tuple[str, list[str]]]:
    """Each line, and who wrote it; nobody if the schedule does not say that."""
    written = list(_written(outcome))
    if "".join(text for _, text in written) != outcome.output:
        written = [("", outcome.output)]
    lines: list[tuple[str, list[str]]] = [("", [])]
    for name, text in written:
        for piece in text.splitlines(keepends=True):
            if lines[-1][0].endswith("\n"):
                lines.append(("", []))
            line, writers = lines[-1]
            lines[-1] = line + piece, writers if name in writers else [*writers, name]
    return lines


def _written(outcome: Outcome) -> Iterable[tuple[str, str]]:
    for step in outcome.schedule:
        deed = step.does.removeprefix(f"{step.move.process} writes ")
        if deed != step.does and deed[:1] in ("'", '"'):
            yield step.move.process, ast.literal_eval(deed)


def _line(text: str, writers: list[str], hues: dict[str, int]) -> str:
    shown = "".join(
        c if c.isprintable() or c == "\t" else "\N{REPLACEMENT CHARACTER}"
        for c in text.removesuffix("\n")
    )
    names = [name for name in writers if name in hues]
    by = "+".join(names)
    name = f'<b class="hue-{hues[names[0]]}">{escape(by)}</b>' if names else ""
    return f"<div>{name}<span>{escape(shown) or '&nbsp;'}</span></div>"


def _how(way: _Way) -> tuple[object, ...]:
    """Of all that can be said of an end, what is not about children that nobody reaped."""
    outcome = way[1]
    return outcome.exit, outcome.signal, outcome.waits


def _ending(alike: Sequence[_Way]) -> str:
    numbers = f"{alike[0][0]}" if len(alike) == 1 else f"{alike[0][0]}–{alike[-1][0]}"
    outcome = alike[0][1]
    words = []
    if outcome.exit is not None:
        words.append(f"exits {outcome.exit}")
    if outcome.signal is not None:
        words.append(f'<b class="outputs-killed">killed by {escape(outcome.signal)}</b>')
    if outcome.deadlock:
        waits = "".join(f"<div>{escape(f'{name} {what}')}</div>" for name, what in outcome.waits)
        words.append(f'<b class="outputs-deadlock">deadlock</b>{waits}')
    left = "".join(f"<div>{escape(line)}</div>" for line in _not_reaped(alike))
    number = f'<span class="outputs-number">{numbers}</span>'
    return f'<div class="outputs-end">{number}<div>{"".join(words)}{left}</div></div>'


def _not_reaped(alike: Sequence[_Way]) -> list[str]:
    """Whom nobody reaps in any of these schedules, and whom in some."""
    each = [set(outcome.unreaped) for _, outcome in alike]
    always, ever = set.intersection(*each), set.union(*each)
    lines = []
    if always:
        lines.append(f"{_and(always)} not reaped")
    if ever - always:
        lines.append(f"{_and(ever - always)} perhaps not reaped")
    return lines


def _and(names: set[str]) -> str:
    *others, last = sorted(names)
    return f"{', '.join(others)} and {last}" if others else last


def _order(graph: ProcessGraph) -> str:
    words = (
        "An arrow means: in every schedule before. Where no way of arrows leads from one dot to"
        " another, either may come first."
    )
    if not all(vertex.always for vertex in graph.vertices):
        words += " A hollow dot: not in every schedule."
    return (
        '<figure><div class="outputs-order" role="group" tabindex="0" aria-label="process graph">'
        f"{process_graph_svg(graph)}</div><figcaption>{words}</figcaption></figure>\n"
    )


def reason_html(text: str) -> str:
    """An answer of `forklab.explore.why`: its first line is the verdict."""
    verdict, _, argument = text.partition("\n")
    shown = f"<pre>{escape(argument)}</pre>" if argument else ""
    return (
        f'<section class="forklab-reason" aria-label="Why"><style>\n{_style_sheet()}</style>\n'
        f"<p><b>{escape(verdict)}</b></p>{shown}</section>\n"
    )
