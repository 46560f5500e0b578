"""What a page of outcomes shows, before it is HTML: a box for each output, with all the ways in which it can end.

A box has the lines with the name of who writes them, as in a film. Where the same text may come from two processes, a
name at a line would tell of one schedule, and of others not: then there are none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice

from forklab.draw.characters import visible
from forklab.draw.palette import HUES
from forklab.explore import Exploration, Outcome
from forklab.explore.order import ProcessGraph
from forklab.steps.deeds import DeedKind

_Way = tuple[int, Outcome]  # to an output, with its number


@dataclass(frozen=True)
class OutputLine:
    """A line of an output; `writers` is "" where nobody is named."""

    text: str
    writers: str
    hue: int


@dataclass(frozen=True)
class Ending:
    """How an output can end, by the numbers of its outcomes ("3", "3–5"); `not_reaped` says whom nobody reaps."""

    numbers: str
    outcome: Outcome
    not_reaped: tuple[str, ...]


@dataclass(frozen=True)
class OutputBox:
    """One output; without lines if nothing is printed."""

    lines: tuple[OutputLine, ...]
    endings: tuple[Ending, ...]
    stuck: bool  # whether it can be a deadlock


def boxes(found: Exploration, graph: ProcessGraph, most: int) -> list[OutputBox]:
    """Those of the first outputs, in the order of the outcomes."""
    ways: dict[str, list[_Way]] = {}
    for number, outcome in enumerate(found.outcomes, start=1):
        ways.setdefault(outcome.output, []).append((number, outcome))
    orphans = any(outcome.unreaped for outcome in found.outcomes)
    hues = _hues(graph, first=int(orphans)) if _each_text_has_one_writer(graph) else {}
    return [_box(ways_to_it, hues) for ways_to_it in islice(ways.values(), most)]


def _each_text_has_one_writer(graph: ProcessGraph) -> bool:
    writers: dict[str, str] = {}
    return all(
        writers.setdefault(vertex.deed.text, vertex.process) == vertex.process
        for vertex in graph.vertices
        if vertex.kind is DeedKind.WRITE
    )


def _hues(graph: ProcessGraph, first: int) -> dict[str, int]:
    """The colours of its films. Where somebody has no parent any more, the first one is that of init."""
    names = dict.fromkeys(vertex.process for vertex in graph.vertices)
    return {name: number % HUES for number, name in enumerate(sorted(names), first)}


def _box(ways: Sequence[_Way], hues: Mapping[str, int]) -> OutputBox:
    first = ways[0][1]
    return OutputBox(
        tuple(_line(text, writers, hues) for text, writers in _lines(first)),
        tuple(_ending(list(alike)) for _, alike in groupby(ways, key=_how)),
        any(outcome.deadlock for _, outcome in ways),
    )


def _lines(outcome: Outcome) -> list[tuple[str, list[str]]]:
    """Each line, and who wrote it; nobody if the schedule does not say that."""
    written = list(_written(outcome))
    if "".join(text for _, text in written) != outcome.output:
        written = [("", outcome.output)]
    lines: list[tuple[str, list[str]]] = []
    for name, text in written:
        for piece in text.splitlines(keepends=True):
            if not lines or lines[-1][0].endswith("\n"):
                lines.append(("", []))
            line, writers = lines[-1]
            lines[-1] = line + piece, writers if name in writers else [*writers, name]
    return lines


def _written(outcome: Outcome) -> Iterable[tuple[str, str]]:
    for step in outcome.schedule:
        if step.deed.kind is DeedKind.WRITE:
            yield step.deed.process, step.deed.text


def _line(text: str, writers: Iterable[str], hues: Mapping[str, int]) -> OutputLine:
    names = [name for name in writers if name in hues]
    shown = visible(text.removesuffix("\n"), also="\t")
    return OutputLine(shown, "+".join(names), hues[names[0]] if names else 0)


def _how(way: _Way) -> tuple[object, ...]:
    """Of all that can be said of an end, what is not about children that nobody reaped."""
    outcome = way[1]
    return outcome.exit, outcome.signal, outcome.waits


def _ending(alike: Sequence[_Way]) -> Ending:
    first, last = alike[0][0], alike[-1][0]
    numbers = f"{first}" if first == last else f"{first}–{last}"
    return Ending(numbers, alike[0][1], tuple(_not_reaped(alike)))


def _not_reaped(alike: Sequence[_Way]) -> Iterable[str]:
    """Whom nobody reaps in any of these schedules, and whom in some."""
    each = [set(outcome.unreaped) for _, outcome in alike]
    always, ever = set.intersection(*each), set.union(*each)
    if always:
        yield f"{_and(always)} not reaped"
    if ever - always:
        yield f"{_and(ever - always)} perhaps not reaped"


def _and(names: set[str]) -> str:
    *others, last = sorted(names)
    return f"{', '.join(others)} and {last}" if others else last
