"""Scenarios that nobody wrote: a seed makes a play of forks and deaths, and what should be true after each of them.

    seed -> script -> Scenario

The same seed makes the same play on every machine and for ever: a student's seed comes from the student's name and the
lab, so that a second grading asks the same, and two students are asked different things. An expectation is written down
only where POSIX leaves no choice: a dead child of a living parent that has not waited is a zombie, whoever loses its
parent becomes init's child, and init reaps its dead children.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass, field, replace
from pathlib import Path

from autograder.labs.lab import Lab
from autograder.labs.scenario import Scenario
from autograder.language.roles import INIT, MAIN, MODES
from autograder.language.script import parse

_STEPS = range(5, 12)  # how many things happen in a play
_MOST_ALIVE = 8
_FATAL = ("SIGKILL", "SIGTERM", "SIGHUP", "SIGSEGV")
_WHY = (
    "Your init has to do right whatever happens, not only in the plays that somebody thought of. This one was made for "
    "you alone, by chance."
)


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
    draft = _Draft()
    for _ in range(chance.choice(_STEPS)):
        living = [name for name in draft.parents if name not in draft.dead]
        mortal = [name for name in living if name != MAIN]
        if not mortal or (len(living) < _MOST_ALIVE and chance.random() < 0.5):
            draft.fork(chance.choice(living))
        else:
            name = chance.choice(mortal)
            if chance.random() < 0.7:
                draft.die(name, f"exits {chance.randrange(256)}")
            else:
                draft.die(name, f"dies by {chance.choice(_FATAL)}")
    status = chance.randrange(256)
    draft.lines += ["expect init is alive", f"main exits {status}", f"expect init exits {status}"]
    return "".join(f"{line}\n" for line in draft.lines)


@dataclass
class _Draft:
    """A play being made: who is whose child, who is dead, and what has been written down."""

    parents: dict[str, str] = field(default_factory=lambda: {MAIN: INIT})
    dead: set[str] = field(default_factory=set)
    lines: list[str] = field(default_factory=list)

    def fork(self, parent: str) -> None:
        child = f"p{len(self.parents)}"
        self.parents[child] = parent
        self.lines.append(f"{parent} forks {child}")

    def die(self, name: str, how: str) -> None:
        self.dead.add(name)
        self.lines.append(f"{name} {how}")
        # Its children become init's, and init reaps those that are dead already.
        for child, parent in self.parents.items():
            if parent == name:
                self.parents[child] = INIT
                self._expect(child)
        self._expect(name)

    def _expect(self, name: str) -> None:
        if name not in self.dead:
            self.lines.append(f"expect {name} is a child of init")
        elif self.parents[name] == INIT:
            self.lines.append(f"expect {name} is reaped")
        else:
            self.lines.append(f"expect {name} is a zombie")


def _scenario(lab: Lab, name: str, seed: str) -> Scenario:
    assert lab.generated is not None
    text = script(seed)
    return Scenario(
        name,
        _title_of(name),
        lab.generated.points,
        _WHY,
        MODES,
        text,
        tuple(parse(text)),
        Path(f"{name}.toml"),
        hidden=lab.generated.hidden,
        extra=lab.generated.extra,
    )


def _title_of(name: str) -> str:
    """What a generated scenario is called in reports; what happens in it differs from student to student."""
    return f"A play that nobody wrote ({name.rpartition('_')[2]})"
