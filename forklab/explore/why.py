"""Why a program can print something, or why it can not: the argument that an examiner wants to read.

Possible: the schedule that leads to it. Not possible: nobody writes that, or two things would have to come in an order
that no schedule has, and then the edges of the process graph that forbid it; or how far one can get, and what alone can
follow there.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice, product
from typing import Any

from forklab.explore.exploration import Exploration
from forklab.explore.forest import Forest
from forklab.explore.graph import Graph
from forklab.explore.order import ProcessGraph
from forklab.explore.outcome import Outcome
from forklab.explore.sentences import sentence
from forklab.steps.deeds import DeedKind

_MOST_READINGS = 100  # of an output without spaces


@dataclass(frozen=True)
class Explanation:
    """`text` is for people. `outcome` is how it comes about, if it is possible."""

    possible: bool
    text: str
    outcome: Outcome | None = None


def why(found: Exploration, output: str) -> Explanation:
    """Whether, and why, this output is possible. White space does not count, so books may leave it out."""
    compact = _compact(output)
    fitting = [outcome for outcome in found.outcomes if _compact(outcome.output) == compact]
    if fitting:
        shortest = min(fitting, key=lambda outcome: len(outcome.schedule))
        steps = "".join(f"\n  {step.does}" for step in shortest.schedule)
        return Explanation(True, f"Yes, this is possible. A shortest way to it:{steps}", shortest)
    order = found.process_graph
    readings = list(islice(_readings(output, _writes(order)), _MOST_READINGS))
    wanted = readings[0]
    words = f"No schedule of this program prints {_listed(wanted)}."
    if not found.complete:
        words = (
            f"None of the schedules that were explored prints {_listed(wanted)}; there may be more."
        )
    reason = None
    if len(readings) == 1:  # of several, each may have another one
        reason = _nobody_writes(order, wanted) or _forbidden(order, wanted)
    text = f"{words}\n{reason or _how_far(found.graph, compact)}"
    if compact in map(_compact, found.unbuffered or ()):
        text += "\nBut if each printf were written at once, as in a book, it is possible (--unbuffered)."
    return Explanation(False, text)


def _compact(text: str) -> str:
    return "".join(text.split())


def _readings(output: str, known: Collection[str]) -> Iterator[list[str]]:
    """Its words; one that nobody writes is taken apart into those that somebody does, in all ways: 211020."""
    words = []
    for word in output.split():
        whole = [] if word in known else list(islice(_pieces(word, known), _MOST_READINGS))
        words.append(whole or [(word,)])
    for chosen in product(*words):
        yield list(chain.from_iterable(chosen))


def _pieces(word: str, known: Collection[str]) -> Iterator[tuple[str, ...]]:
    """All ways to read it as what somebody writes, one after the other; the longest first."""
    next_ones: dict[int, list[str]] = {len(word): []}  # by the places from which on it can be read
    for place in reversed(range(len(word))):
        fitting = [piece for piece in known if word.startswith(piece, place)]
        if can := [piece for piece in fitting if place + len(piece) in next_ones]:
            next_ones[place] = sorted(can, key=len, reverse=True)

    def read(place: int) -> Iterator[tuple[str, ...]]:
        if place == len(word):
            yield ()
        for piece in next_ones.get(place, ()):
            for rest in read(place + len(piece)):
                yield piece, *rest

    return read(0)


def _listed(tokens: list[str]) -> str:
    return " ".join(tokens) if tokens else "nothing"


def _writes(order: ProcessGraph) -> dict[str, list[int]]:
    """The vertices that write a token, if each writes one and always; else nothing is known so simply."""
    found: dict[str, list[int]] = {}
    for number, vertex in enumerate(order.vertices):
        if vertex.kind is DeedKind.WRITE:
            tokens = vertex.deed.text.split()
            if len(tokens) != 1 or not vertex.always:
                return {}
            found.setdefault(tokens[0], []).append(number)
    return found


def _nobody_writes(order: ProcessGraph, wanted: list[str]) -> str | None:
    writes = _writes(order)
    if not writes:
        return None
    for token in wanted:
        there, here = len(writes.get(token, ())), wanted.count(token)
        if there == 0:
            return f"Nobody ever writes {token}."
        if here > there:
            return f"It has {token} {_times(here)}, but that is written {_times(there)}."
    for token, numbers in writes.items():
        if wanted.count(token) < len(numbers):
            return f"In every schedule {token} is written {_times(len(numbers))}."
    return None


def _times(number: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(number, f"{number} times")


def _forbidden(order: ProcessGraph, wanted: list[str]) -> str | None:
    """Two that would have to come in the wrong order, by the shortest chain of edges that forbids it."""
    writes = _writes(order)
    if any(len(numbers) > 1 for numbers in writes.values()):
        return None
    places = [writes[token][0] for token in wanted if token in writes]
    chains = [
        chain
        for earlier, first in enumerate(places)
        for last in places[earlier + 1 :]
        if order.before[first] >> last & 1 and (chain := order.chain(last, first))
    ]
    if not chains:
        return None
    chain = min(chains, key=len)
    steps = [order.vertices[number] for number in chain]
    told = "\n  -> ".join(sentence(vertex.deed) for vertex in steps)
    first, last = steps[-1].deed.text.strip(), steps[0].deed.text.strip()
    return f"It needs {first} before {last}, but in every schedule\n     {told}"


def _how_far(graph: Graph | Forest, wanted: str) -> str:
    """The longest beginning that some schedule prints, and what alone can follow it."""
    furthest: tuple[str, ...] = ()
    following: set[str] = set()
    seen: set[tuple[Hashable, str]] = set()
    stack: list[tuple[Any, tuple[str, ...]]] = [(graph.root, ())]
    while stack:
        key, written = stack.pop()
        steps = graph.written_from(key)
        if len("".join(written)) > len("".join(furthest)):
            furthest, following = written, set()
        if "".join(written) == "".join(furthest):
            following |= {output.strip() for output, _ in steps if output.strip()}
            following |= set() if steps else {"the end"}
        for output, target in steps:
            longer = (*written, *output.split())
            text = "".join(longer)
            if wanted.startswith(text) and (target, text) not in seen:
                seen.add((target, text))
                stack.append((target, longer))
    if "".join(furthest) == wanted and "the end" in following:
        return "What other runs did would lead to it, but when it was tried, the program did something else."
    start = f"After {_listed(list(furthest))}" if furthest else "At the start"
    return f"{start} only {_or(following)} can come."


def _or(words: Iterable[str]) -> str:
    return " or ".join(sorted(words))
