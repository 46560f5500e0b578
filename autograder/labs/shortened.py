"""The same scenario with shorter rows of actors: what twenty equal orphans can do in all orders, three nearly can."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from autograder.labs.scenario import Scenario
from autograder.language.grammar import write_line
from autograder.language.roles import Actors
from autograder.language.sense import check
from autograder.language.steps import Step

SHORT = 3  # actors in a row, or signals one after the other


def shortened(scenario: Scenario) -> Scenario | None:
    """With no row longer than `SHORT`. None if it is so already, or makes no sense then."""
    steps = tuple(_shortened(step) for step in scenario.steps)
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


def _shortened(step: Step) -> Step:
    shorter: dict[str, Any] = {}
    for field in fields(step):
        value = getattr(step, field.name)
        if isinstance(value, Actors) and value.first is not None and value.count > SHORT:
            shorter[field.name] = replace(value, last=value.first + SHORT - 1)
        elif field.name == "times" and value > SHORT:
            shorter[field.name] = SHORT
    return replace(step, **shorter) if shorter else step
