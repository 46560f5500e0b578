"""Whether a play can make sense at all, found out before anybody plays it.

Each line of a script may be a correct sentence and the whole still be nonsense: an actor that nobody forked, one that
acts after its death, a signal that cannot be caught. Only what can never make sense is refused. Whether an expectation
comes true is for the judge to see, and whether it should, for the ideal model.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from autograder.language.bands import IsInPlace
from autograder.language.beginnings import (
    StartsAsJob,
    StartsBlocking,
    StartsIgnoring,
    StartsPending,
)
from autograder.language.deeds import (
    Blocks,
    Catches,
    Dies,
    Forks,
    Ignores,
    Runs,
    SendsAtAnyMoment,
    SendsOften,
)
from autograder.language.expectations import Expectation, HasDied, HasForked
from autograder.language.inheritance import TerminalIsAsBefore
from autograder.language.problems import Problem
from autograder.language.roles import AS_EVER, MODES, MOST_ACTORS, Actors, Casting
from autograder.language.steps import Step
from autograder.language.story import Story, problem_with
from forklab.kernel.signals import UNTOUCHABLE, DefaultAction, default_action

_CHANGED = {
    Ignores: "ignored",
    Catches: "caught",
    Blocks: "blocked",
    StartsIgnoring: "ignored",
    StartsBlocking: "blocked",
    StartsPending: "blocked",
}
_MOST_TIMES = 500  # that a signal is sent at once: an actor is told of 1000 in all


def check(
    steps: Sequence[Step],
    *,
    modes: Sequence[str] = MODES,
    casting: Casting = AS_EVER,
    terminal: bool = True,
) -> list[Problem]:
    """What can never make sense in a play, in the order of its lines; empty if all is well.

    `modes` are those in which it is to be played; `casting` is who is there without being forked; `terminal`: there is
    one.
    """
    if not steps:
        return [
            Problem(0, "", "the script is empty", "Write a step a line, such as 'main exits 0'.")
        ]
    problems: list[Problem] = []
    story = Story(modes, casting, terminal)
    for step in steps:
        if flaws := [
            *_flaws_of_rows(step),
            *_flaws_of_values(step),
            *_flaws_of_terminal(step, terminal),
        ]:
            problems += flaws
            if isinstance(
                step, Forks | HasForked
            ):  # whoever it would have forked is missing from here on
                break
        else:
            story.add(step)
    problems = sorted(problems + story.problems, key=lambda problem: problem.line)
    if not any(isinstance(step, Expectation) for step in steps):
        name = casting.subject.name
        what = f"the script expects nothing, so that every {name} would pass"
        mend = f"End it with what should happen: 'expect {name} exits 0'."
        problems.append(Problem(0, "", what, mend))
    return problems


def _flaws_of_rows(step: Step) -> list[Problem]:
    rows = [actors for actors in step.named if actors.is_row]
    problems = []
    for row in rows:
        if row.count < 1:
            backwards = Actors(row.stem, row.last, row.first)
            mend = f"Did you mean '{backwards}'?"
            problems.append(problem_with(step, f"the row {row} runs backwards", mend))
        elif row.count > MOST_ACTORS:
            what = f"{row} are {row.count} actors; a play has {MOST_ACTORS} at most"
            problems.append(problem_with(step, what))
    if not problems and len(rows) == 2 and rows[0].count != rows[1].count:
        one, other = rows
        what = f"{one} are {one.count} and {other} are {other.count}: two rows go in pairs"
        problems.append(problem_with(step, what, "Give both the same length."))
    return problems


def _flaws_of_values(step: Step) -> list[Problem]:
    if isinstance(step, SendsOften) and not 0 < step.times <= _MOST_TIMES:
        return [problem_with(step, f"a signal is sent 1 to {_MOST_TIMES} times at once")]
    if isinstance(step, Runs) and not _words_of(step.text):
        mend = "Close its quotes, or say what is to be run."
        return [problem_with(step, "that is no command line", mend)]
    if isinstance(step, SendsAtAnyMoment) and step.signal in UNTOUCHABLE:
        return [problem_with(step, f"{step.signal} would end the play at once, or hold it up")]
    changes = (Ignores, Catches, Blocks, StartsIgnoring, StartsBlocking, StartsPending)
    if isinstance(step, changes) and step.signal in UNTOUCHABLE:
        changed = _CHANGED[type(step)]
        return [problem_with(step, f"{step.signal} cannot be {changed} (signal(7))")]
    if isinstance(step, Dies | HasDied) and not _is_fatal(step.signal):
        return [problem_with(step, f"nobody dies by {step.signal} (signal(7))")]
    return []


def _flaws_of_terminal(step: Step, terminal: bool) -> list[Problem]:
    if terminal or not isinstance(step, StartsAsJob | TerminalIsAsBefore | IsInPlace):
        return []
    return [problem_with(step, "there is no terminal", "Add a line: terminal = true")]


def _words_of(text: str) -> list[str]:
    """As a shell splits them; none if it cannot."""
    try:
        return shlex.split(text)
    except ValueError:
        return []


def _is_fatal(signal: str) -> bool:
    return default_action(signal) in (DefaultAction.TERMINATE, DefaultAction.CORE)
