"""The scenes of the labs, as they are played with programs that have made other promises than a student.

A scene of a lab asks for several things at once. Here each is played for one promise, so that a program does not fail
in two places for the same reason: whether it sleeps is asked where that is the promise, and of a program that stays
when a service ends no scene goes beyond the end of main.
"""

from __future__ import annotations

import re
from dataclasses import replace

from autograder.labs.scenario import Scenario
from autograder.language.expectations import Expectation
from autograder.language.script import parse

_EXPECTS = re.compile(r"expect ")
_SENT = re.compile(r"send .* to init\b")  # it has a meaning of its own there
_IDLE = re.compile(r"expect init is idle\b")
_END_OF_MAIN = re.compile(r"main (exits|dies)\b")
_REAPED = re.compile(r"expect .* (is|are) reaped$")
_OF_A_COMMAND = re.compile(r"expect main is a child of init\b")


def scene(
    scenario: Scenario, *, asks_for_sleep: bool = False, stays: bool = False, wakes_after: str = ""
) -> Scenario | None:
    """The scenario for one promise; None if nothing is left of it that such a program could be asked for.

    `wakes_after`: it looks for the dead when it wakes up, and is given that time.
    """
    lines = scenario.script.splitlines()
    if asks_for_sleep:  # and for nothing else
        lines = [line for line in lines if _IDLE.match(line) or not _EXPECTS.match(line)]
    else:
        lines = [line for line in lines if not _IDLE.match(line)]
    if stays:
        if scenario.command is not None or any(map(_SENT.match, lines)):
            return None
        end = next((n for n, line in enumerate(lines) if _END_OF_MAIN.match(line)), len(lines))
        lines = [line for line in lines[:end] if not _OF_A_COMMAND.match(line)]
    if wakes_after:
        lines = [part for line in lines for part in _with_time(line, wakes_after)]
    script = "\n".join(lines) + "\n"
    steps = tuple(parse(script, scenario.bill.subject.name))
    if not any(isinstance(step, Expectation) for step in steps):
        return None
    return replace(scenario, script=script, steps=steps)


def _with_time(line: str, wakes_after: str) -> list[str]:
    words = line.partition("#")[0].strip()
    return [f"let {wakes_after} pass", line] if _REAPED.match(words) else [line]
