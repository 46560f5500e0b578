"""Whether a play can make sense at all, found out before anybody plays it.

Each line of a script may be a correct sentence and the whole still be nonsense: an actor that nobody forked, one that
acts after its death, a signal that cannot be caught. Only what can never make sense is refused. Whether an expectation
comes true is for the judge to see, and whether it should, for the ideal model.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from autograder.language.grammar import write_line
from autograder.language.steps import INIT, MAIN, MODES, Actors, Problem, Step, Verb
from forklab.kernel.signals import (
    DROPPED_BY_DEFAULT,
    UNTOUCHABLE,
    DefaultAction,
    default_action,
)

MOST_ACTORS = 200

# Verbs that an actor performs itself; it has to be alive, and able to listen.
_ACTS = frozenset(
    {
        Verb.FORKS,
        Verb.EXITS,
        Verb.DIES,
        Verb.REAPS,
        Verb.IGNORES,
        Verb.CATCHES,
        Verb.BLOCKS,
        Verb.STARTS_SESSION,
        Verb.STARTS_GROUP,
        Verb.STOPS,
        Verb.SAYS,
    }
)
_ABOUT_ACTORS_ONLY = frozenset(
    {Verb.EXPECT_GETS, Verb.EXPECT_GETS_NOTHING, Verb.EXPECT_CLEAN, Verb.CONTINUES}
)
# After one of these, somebody who could not act may be able to again: woken, killed, or told that a child is dead.
_CHANGES_MUCH = frozenset({Verb.EXITS, Verb.DIES, Verb.SEND, Verb.CONTINUES, Verb.THAW})


def check(
    steps: Sequence[Step], *, modes: Sequence[str] = MODES, command: bool = False
) -> list[Problem]:
    """What can never make sense in a play, in the order of its lines; empty if all is well.

    `modes` are those in which it is to be played; `command` says that init starts another command than `main`, so that
    there are no actors.
    """
    if not steps:
        return [
            Problem(0, "", "the script is empty", "Write a step a line, such as 'main exits 0'.")
        ]
    problems: list[Problem] = []
    play = _Play(modes, command)
    for step in steps:
        if flaws := _shape(step):
            problems += flaws
            if step.verb is Verb.FORKS:  # whoever it would have forked is missing from here on
                break
        else:
            play.add(step)
    problems = sorted(problems + play.problems, key=lambda problem: problem.line)
    if not any(step.verb.is_expectation for step in steps):
        what = "the script expects nothing, so that every init would pass"
        problems.append(
            Problem(0, "", what, "End it with what should happen: 'expect init exits 0'.")
        )
    return problems


def _problem(step: Step, what: str, mend: str = "") -> Problem:
    line = write_line(step)
    return Problem(step.line, line, f"'{line}': {what}", mend)


def _shape(step: Step) -> list[Problem]:
    """What is wrong with one step whatever the others are."""
    rows = [row for row in (step.actors, step.others) if row is not None and row.is_row]
    problems = []
    for row in rows:
        if row.count < 1:
            backwards = Actors(row.stem, row.last, row.first)
            problems.append(
                _problem(step, f"the row {row} runs backwards", f"Did you mean '{backwards}'?")
            )
        elif row.count > MOST_ACTORS:
            what = f"{row} are {row.count} actors; a play has {MOST_ACTORS} at most"
            problems.append(_problem(step, what))
    if not problems and len(rows) == 2 and rows[0].count != rows[1].count:
        what = (
            f"{rows[0]} are {rows[0].count} and {rows[1]} are {rows[1].count}: two rows go in pairs"
        )
        problems.append(_problem(step, what, "Give both the same length."))
    changes = {Verb.IGNORES: "ignored", Verb.CATCHES: "caught", Verb.BLOCKS: "blocked"}
    if step.verb in changes and step.signal in UNTOUCHABLE:
        problems.append(_problem(step, f"{step.signal} cannot be {changes[step.verb]} (signal(7))"))
    if step.verb in (Verb.DIES, Verb.EXPECT_DIES) and not _kills(step.signal or ""):
        problems.append(_problem(step, f"nobody dies by {step.signal} (signal(7))"))
    return problems


def _kills(signal: str) -> bool:
    return default_action(signal) in (DefaultAction.TERMINATE, DefaultAction.CORE)


class _Play:
    """What is known for certain after some steps, and what was wrong with them."""

    def __init__(self, modes: Sequence[str], command: bool) -> None:
        self.problems: list[Problem] = []
        self._modes = modes
        self._command = command
        self._parent: dict[str, str] = {} if command else {MAIN: INIT}
        self._ended: dict[str, int] = {}  # who is dead, and since which line
        self._reaped: dict[str, int] = {}
        self._busy: dict[str, str] = {}  # who cannot act for now, and why
        self._ignored: set[tuple[str, str]] = set()
        self._kept: set[str] = (
            set()
        )  # signals that somebody catches or blocks: children inherit that
        self._init_ended = 0
        self._frozen = 0
        self._complained: set[str] = set()

    def add(self, step: Step) -> None:
        """Takes one more step, or complains about it: once a step, the rest would follow from the first."""
        before = len(self.problems)
        if self._known(step) and self._can_act(step):
            match step.verb:
                case Verb.FORKS:
                    self._fork(step)
                case Verb.REAPS:
                    self._reap(step)
                case Verb.FREEZE | Verb.THAW:
                    self._freeze_or_thaw(step)
                case Verb.EXPECT_GETS:
                    self._expect_signal(step)
        if len(self.problems) == before:
            self._note(step)

    def _complain(self, step: Step, what: str, mend: str = "") -> None:
        self.problems.append(_problem(step, what, mend))

    def _known(self, step: Step) -> bool:
        mentioned = list(step.actors or ())
        if step.verb is not Verb.FORKS:
            mentioned += list(step.others or ())
        for name in mentioned:
            if name in self._complained:
                return False
            if name == INIT:
                continue
            if self._command:
                what = "there are no actors, for init starts `command` instead of main"
                self._complain(
                    step,
                    what,
                    "Expect something of init or of the output, or leave `command` away.",
                )
                self._complained.add(name)
                return False
            if name not in self._parent:
                near = get_close_matches(name, (*self._parent, INIT), n=1)
                mend = (
                    f"Did you mean '{near[0]}'?" if near else f"Write 'main forks {name}' before."
                )
                self._complain(step, f"nobody has forked {name}", mend)
                self._complained.add(name)
                return False
        return True

    def _can_act(self, step: Step) -> bool:
        if step.verb is Verb.SEND and self._init_ended and INIT in (step.actors or ()):
            self._complain(
                step, f"init has ended (line {self._init_ended}): it gets no signal any more"
            )
        if step.verb not in _ACTS | _ABOUT_ACTORS_ONLY:
            return True
        for name in step.actors or ():
            if name == INIT:
                self._complain_about_init(step)
            elif step.verb not in _ACTS:
                continue
            elif name in self._ended:
                self._complain(step, f"{name} is dead since line {self._ended[name]}")
            elif name in self._busy:
                self._complain(step, f"{name} {self._busy[name]}")
            elif self._init_ended and "pidns" in self._modes:
                self._complain(
                    step,
                    f"init has ended (line {self._init_ended}), and everybody in its PID namespace with it",
                    'Put the step before that, or play in one mode only: modes = ["subreaper"].',
                )
            else:
                continue
            return False
        return True

    def _complain_about_init(self, step: Step) -> None:
        if step.verb is Verb.CONTINUES:
            self._complain(step, "init is no actor", "Did you mean 'send SIGCONT to init'?")
        elif step.verb in _ACTS:
            what = "init is the program that is judged, it follows no script"
            self._complain(step, what, "Let main or one of its descendants do it.")
        else:
            self._complain(step, "only an actor can tell that, and init is none")

    def _fork(self, step: Step) -> None:
        for parent, child in step.pairs():
            if child == INIT:
                self._complain(
                    step, "init is the program that is judged", "Give the child another name."
                )
            elif child == MAIN:
                self._complain(step, "main is there from the start: init forks it")
            elif child in self._parent:
                mend = "Give the children different names." if step.others else ""
                self._complain(step, f"there is a {child} already", mend)
            elif len(self._parent) >= MOST_ACTORS:
                self._complain(step, f"a play has {MOST_ACTORS} actors at most")
            else:
                self._parent[child] = parent
                continue
            return

    def _reap(self, step: Step) -> None:
        for parent, child in step.pairs():
            if self._parent.get(child) != parent:
                whose = f"a child of {self._parent[child]}" if child in self._parent else "no actor"
                self._complain(step, f"{child} is {whose}: only a parent can wait for it (wait(2))")
            elif child in self._reaped:
                self._complain(step, f"{child} is reaped already (line {self._reaped[child]})")
            else:
                continue
            return

    def _freeze_or_thaw(self, step: Step) -> None:
        if step.verb is Verb.FREEZE and self._frozen:
            self._complain(step, f"init is frozen already (line {self._frozen})")
        elif step.verb is Verb.THAW and not self._frozen:
            self._complain(step, "init is not frozen", "Write 'freeze init' before.")
        elif self._init_ended:
            self._complain(step, f"init has ended (line {self._init_ended})")

    def _expect_signal(self, step: Step) -> None:
        assert step.signal is not None
        if step.number == 0:  # also who cannot notice a signal gets it no times
            return
        for name in step.actors or ():
            if (name, step.signal) in self._ignored:
                what = f"{name} ignores {step.signal}: the kernel drops it and nobody can tell"
                self._complain(step, what, f"Let {name} catch it: '{name} catches {step.signal}'.")
                return
            if step.signal in DROPPED_BY_DEFAULT and step.signal not in self._kept:
                what = f"{step.signal} does nothing to a process that does not catch it, so nobody can tell"
                self._complain(step, what, f"Write '{name} catches {step.signal}' before.")
                return

    def _note(self, step: Step) -> None:
        """What is certain once the step is done, or the expectation has come true."""
        if step.verb in _CHANGES_MUCH:
            self._busy.clear()
        match step.verb:
            case Verb.FREEZE:
                self._frozen = step.line
            case Verb.THAW:
                self._frozen = 0
        for name in step.actors or ():
            self._note_one(step, name)
        if step.verb is Verb.REAPS:
            for parent, child in step.pairs():
                if child not in self._ended:
                    self._busy[parent] = (
                        f"waits for {child} since line {step.line}, which is not dead"
                    )
                self._reaped.setdefault(child, step.line)

    def _note_one(self, step: Step, name: str) -> None:
        match step.verb:
            case Verb.IGNORES:
                assert step.signal is not None
                self._ignored.add((name, step.signal))
            case Verb.CATCHES | Verb.BLOCKS:
                assert step.signal is not None
                self._ignored.discard((name, step.signal))
                self._kept.add(step.signal)
            case Verb.STOPS:
                self._busy[name] = f"is stopped since line {step.line}, until it continues"
            case Verb.EXPECT_EXITS | Verb.EXPECT_DIES if name == INIT:
                self._init_ended = self._init_ended or step.line
            case Verb.EXITS | Verb.DIES | Verb.EXPECT_EXITS | Verb.EXPECT_DIES:
                self._ended.setdefault(name, step.line)
            case Verb.EXPECT_ZOMBIE | Verb.EXPECT_REAPED if name != INIT:
                self._ended.setdefault(name, step.line)
            case Verb.SEND if step.signal == "SIGKILL" and name != INIT:
                self._ended.setdefault(name, step.line)
