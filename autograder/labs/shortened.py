"""The same scenario with shorter rows of actors: what twenty equal orphans can do in all orders, three nearly can."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from typing import Any

from autograder.labs.playbill import MODEL_OF_INIT
from autograder.labs.scenario import Scenario
from autograder.language.deeds import Forks
from autograder.language.expectations import Expectation
from autograder.language.grammar import write_line
from autograder.language.roles import Actors
from autograder.language.sense import check
from autograder.language.steps import Step

SHORT = 3  # actors in a row, or signals one after the other


def shortened(scenario: Scenario) -> Scenario | None:
    """With no row longer than `SHORT`. None if it is so already, or makes no sense then.

    Only where a model says what is to be expected: what a script expects in words may be about the whole row.
    Of a row that is also spoken of in parts, each part has somebody: `w1..w10` and `w11..w20` become `w1..w2` and `w3`.
    """
    if scenario.bill.expected != MODEL_OF_INIT:
        return None
    rows = [row for step in scenario.steps for _, row in _rows(step)]
    kept = _numbers_kept(rows)
    if len(kept) > SHORT or not _may_be_shorter(rows, kept, scenario.steps):
        return None
    steps = tuple(_shortened(step, kept) for step in scenario.steps)
    problems = check(
        steps, modes=scenario.modes, casting=scenario.casting, terminal=scenario.terminal
    )
    if steps == scenario.steps or problems:
        return None
    lines = scenario.script.split("\n")
    for before, after in zip(scenario.steps, steps, strict=True):
        if before != after:
            lines[after.line - 1] = write_line(after)
    return replace(scenario, steps=steps, script="\n".join(lines))


def _rows(step: Step) -> Iterator[tuple[str, Actors]]:
    for field in fields(step):
        value = getattr(step, field.name)
        if isinstance(value, Actors) and value.is_row:
            yield field.name, value


def _may_be_shorter(rows: Sequence[Actors], kept: Sequence[int], steps: Sequence[Step]) -> bool:
    """Whether the script makes everybody in a row, and speaks of nobody alone who gets another number.

    Nor may it expect a text: all of them may have a part in it.
    """
    if any(isinstance(step, Expectation) and hasattr(step, "text") for step in steps):
        return False
    members = {name for row in rows for name in row}
    forked = {child for step in steps if isinstance(step, Forks) for _, child in step.pairs()}
    alone = {str(actors) for step in steps for actors in step.named if not actors.is_row}
    are_renumbered = list(kept) != list(range(kept[0], kept[0] + len(kept))) if kept else False
    return members <= forked and not (are_renumbered and members & alone)


def _numbers_kept(rows: Sequence[Actors]) -> list[int]:
    """Those numbers that somebody has in the shorter rows: of each part one, and of the first parts more."""
    ends = sorted({end for row in rows for end in (row.first or 0, (row.last or 0) + 1)})
    parts = [
        range(first, after)
        for first, after in itertools.pairwise(ends)
        if any(first in _numbers(row) for row in rows)
    ]
    kept = [part[0] for part in parts]
    more = itertools.chain.from_iterable(part[1:] for part in parts)
    return sorted([*kept, *itertools.islice(more, max(SHORT - len(kept), 0))])


def _numbers(row: Actors) -> range:
    return range(row.first or 0, (row.last or 0) + 1)


def _shortened(step: Step, kept: Sequence[int]) -> Step:
    shorter: dict[str, Any] = {}
    for name, row in _rows(step):
        places = [place for place, number in enumerate(kept, kept[0]) if number in _numbers(row)]
        shorter[name] = replace(row, first=places[0], last=places[-1])
    if getattr(step, "times", 0) > SHORT:
        shorter["times"] = SHORT
    return replace(step, **shorter) if shorter else step
