"""Scenarios that nobody wrote: a seed makes a play, and what should be true after each of its deeds (improvise.py).

    seed -> script -> Scenario

The same seed makes the same play on every machine: a student's seed comes from the student's name and the lab, so that
a second grading asks the same, and two students are asked different things.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import replace
from pathlib import Path

from autograder.labs.improvise import improvise
from autograder.labs.lab import Lab
from autograder.labs.scenario import Scenario
from autograder.language.roles import MODES
from autograder.language.script import format_script, parse

TITLE = "A play that nobody wrote"
_AT_LEAST = 12  # deeds in a student's play
WHY = "Your init has to do right whatever happens, not only in the plays that somebody thought of."
_FOR_YOU = f"{WHY} This one was made for you alone, by chance."


def seed_of(lab: str, student: str) -> int:
    """The student's own seed in this lab: 63 bits, the same for ever."""
    digest = hashlib.sha256(f"{lab}\0{student}".encode(errors="surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def names(lab: Lab) -> tuple[str, ...]:
    """What the generated scenarios of a lab are called, the same for all students."""
    count = lab.generated.scenarios if lab.generated else 0
    return tuple(f"generated_{number}" for number in range(1, count + 1))


def with_generated(lab: Lab, seed: int) -> Lab:
    """The lab with the scenarios that this seed makes, after those that somebody wrote."""
    made = tuple(_scenario(lab, name, f"{seed}/{name}") for name in names(lab))
    return replace(lab, scenarios=(*lab.scenarios, *made))


def script(seed: str) -> str:
    """A play, a step a line."""
    chance = random.Random(seed)  # of a text: the same on every machine, see random.seed
    return format_script(improvise(lambda below: int(chance.random() * below), _AT_LEAST))


def improvised(
    lab: Lab, name: str, script: str, *, points: float = 1, why: str = WHY, title: str = TITLE
) -> Scenario:
    """The scenario of this script, as the lab's own ones are."""
    steps = tuple(parse(script))
    path = Path(f"{name}.toml")
    return Scenario(name, title, points, why, MODES, script, steps, path, bill=lab.bill)


def as_file(scenario: Scenario) -> str:
    """Its text, as a scenario file has it: of one whose texts have neither quotes nor line breaks."""
    return (
        f'title  = "{scenario.title}"\n'
        f"points = {scenario.points:g}\n"
        f'why    = "{scenario.why}"\n'
        f"script = '''\n{scenario.script}'''\n"
    )


def _scenario(lab: Lab, name: str, seed: str) -> Scenario:
    assert lab.generated is not None
    made = lab.generated
    title = f"{TITLE} ({name.rpartition('_')[2]})"
    one = improvised(lab, name, script(seed), points=made.points, why=_FOR_YOU, title=title)
    return replace(one, hidden=made.hidden, extra=made.extra)
