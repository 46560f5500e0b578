"""A scenario: one play as its file tells it, read and checked before anybody is judged by it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.labs.flaws import Flaw, LabError
from autograder.labs.playbill import MAIN_WORD, OF_AN_INIT, Playbill, with_keys
from autograder.labs.tomlfile import TomlTable, read_table
from autograder.language.beginnings import Beginning
from autograder.language.blanks import seconds_of
from autograder.language.deeds import LetsPass
from autograder.language.expectations import Expectation
from autograder.language.problems import Problem, ScriptError
from autograder.language.roles import Casting, Programs
from autograder.language.script import parse
from autograder.language.sense import check
from autograder.language.steps import Step

EVERY_SCHEDULE = "every schedule"
_LONGEST_WAIT_SECONDS = 10


@dataclass(frozen=True)
class Scenario:
    """One play and what it is worth. `script` is its text, `steps` what that says.

    `bill` is what its lab says of all of its plays, with what its own file says. `command` is what the subject starts
    instead of the actor main; it gets no arguments if it is empty. `terminal`: it gets a pseudo-terminal; `untested` is
    why no mutant fails this scenario. `explored`: it is judged over every schedule, where that can be. `hidden`:
    students learn only whether they passed it; `extra`: its points come on top of the lab's maximum. `name` is the
    file's name without its suffix.
    """

    name: str
    title: str
    points: float
    why: str
    modes: tuple[str, ...]
    script: str
    steps: tuple[Step, ...]
    path: Path
    command: tuple[str, ...] | None = None
    terminal: bool = False
    untested: str | None = None
    explored: bool = False
    hidden: bool = False
    extra: bool = False
    bill: Playbill = OF_AN_INIT

    @property
    def casting(self) -> Casting:
        main = self.command is None and MAIN_WORD in self.bill.run
        notes = any(
            isinstance(step, Expectation) and step.traits.of_the_start for step in self.steps
        )
        return Casting(self.bill.subject, main, self.bill.commands, notes)

    @property
    def can_be_waited_for(self) -> bool:
        """Whether it lets no more time pass than somebody would want to wait: else only virtual time is for it."""
        passing = (step.time for step in self.steps if isinstance(step, LetsPass))
        return sum(map(seconds_of, passing)) <= _LONGEST_WAIT_SECONDS

    @property
    def first_deed(self) -> Step | None:
        """The first line that is not about how the subject starts; None if there is none."""
        return next((step for step in self.steps if not isinstance(step, Beginning)), None)

    @property
    def modelled_command(self) -> tuple[str, ...] | None:
        """What an init starts of which the model knows nothing; None: main."""
        if self.casting.main:
            return None
        return self.bill.run[1:] if self.command is None else self.command

    def command_line(self, programs: Programs, main: Sequence[str]) -> list[str]:
        """The words that start the subject."""
        first = main if self.command is None else self.command
        return self.bill.command_line(self.bill.run, programs, first)


def load_scenario(path: Path, bill: Playbill = OF_AN_INIT) -> Scenario:
    """The scenario in a file, of a lab whose plays are like that.

    Raises LabError with everything that is wrong in it.
    """
    table = read_table(path)
    bill = with_keys(bill, table)
    title = table.text("title")
    points = table.positive("points")
    why = table.text("why")
    modes = table.modes()
    script = table.any_text("script")
    command = table.any_texts("command")
    terminal = table.flag("terminal")
    untested = table.text("untested", "") or None
    explored = bool(table.word("explore", [EVERY_SCHEDULE]))
    hidden, extra = table.flag("hidden"), table.flag("extra")
    steps: tuple[Step, ...] = ()
    problems: Sequence[Problem] = ()
    if script is not None:
        try:
            steps = tuple(parse(script, bill.subject.name))
            casting = Casting(
                bill.subject, command is None and MAIN_WORD in bill.run, bill.commands
            )
            problems = check(steps, modes=modes, casting=casting, terminal=terminal)
        except ScriptError as error:
            problems = error.problems
    table.flaws.extend(_script_flaws(table, problems))
    if flaws := table.flaws_found():
        raise LabError(flaws)
    return Scenario(
        path.stem,
        title,
        points,
        why,
        modes,
        script or "",
        steps,
        path,
        command=command,
        terminal=terminal,
        untested=untested,
        explored=explored,
        hidden=hidden,
        extra=extra,
        bill=bill,
    )


def _script_flaws(table: TomlTable, problems: Sequence[Problem]) -> Iterator[Flaw]:
    first = table.line_of_text("script")
    for problem in problems:
        if problem.line == 0 or first is None:
            yield Flaw(table.path, table.line_of("script"), problem.what, problem.mend)
        else:
            line = first + problem.line - 1
            yield Flaw(table.path, line, problem.what, problem.mend, problem.line)
