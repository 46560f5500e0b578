"""Plays one scenario on the stage, decides by what the kernel says, and explains: steps in, `Verdict` out."""

from __future__ import annotations

import contextlib
import functools
import hashlib
from collections.abc import Callable
from dataclasses import replace

from autograder.ideal.ideal import Contradiction, Ideal
from autograder.labs.playbill import MODEL_OF_INIT, REFERENCE
from autograder.labs.scenario import Scenario
from autograder.language.beginnings import Beginning
from autograder.language.deeds import Deed, SendsAtAnyMoment
from autograder.language.expectations import (
    Expectation,
    HasDied,
    HasExited,
    IsIdle,
    IsReaped,
    IsZombie,
)
from autograder.language.roles import MAIN, Programs
from autograder.language.sentence import Judged
from autograder.language.steps import Step
from autograder.stage.actors import ActorLostError
from autograder.stage.errors import (
    ExcessError,
    ShortageError,
    StageError,
    UnableError,
    UnrulyError,
    UntoldError,
)
from autograder.stage.quiescence import Rest, Settled
from autograder.stage.stage import Stage
from autograder.stage.staged import StagedPlay
from autograder.trial.begin import opened
from autograder.trial.check import Breach, Check
from autograder.trial.checks import Checks
from autograder.trial.compare import differences
from autograder.trial.direct import Director
from autograder.trial.expected import Expected, Foreseen, Recorded, Unknown
from autograder.trial.explain import Explainer, obstruction
from autograder.trial.facts import Facts
from autograder.trial.inbox import Inbox
from autograder.trial.observe import Observer
from autograder.trial.verdict import Status, Verdict
from forklab.history import History, Remark

_NEVER_AT_REST = "Your program starts processes of its own without an end ({})."
_STOPPED = "Your program was stopped: it took {}."
_TOO_LONG = "It lets so much time pass that nobody would wait for it: only judged in virtual time."
_STARTS_ONE = " An init starts its command and nothing else."


class UndecidedError(Exception):
    """A play has come to no verdict: `trouble` is what we could not do, `doing` what was seen in the play meanwhile."""

    def __init__(self, trouble: str, doing: str = "") -> None:
        super().__init__(trouble)
        self.trouble = trouble.rstrip(".")
        self.doing = doing


def judge(
    scenario: Scenario,
    programs: Programs,
    stage: Stage,
    recorded: Callable[[], Expected] = Unknown,
) -> Verdict:
    """Plays `scenario` against `programs`, as they are started inside the stage's sandbox, and says how it went.

    `recorded` answers how the reference solution plays it; asked only if the scenario says so, and if it matters.
    Raises UndecidedError if that cannot be told, whosever fault it is.
    """
    expected = functools.cache(lambda: _expected(scenario, stage.sandbox.mode, recorded))
    return _judge(scenario, programs, stage, expected, None)


def judge_play(
    scenario: Scenario,
    play: StagedPlay,
    recorded: Callable[[], Expected],
    remembers: Callable[[Callable[[], str]], None],
) -> Verdict:
    """The same of a play that has just begun; it is not closed. Raises UndecidedError as `judge` does.

    `remembers` is given who answers a digest of all that a verdict may rest on, and that the play does not show.
    """
    expected = functools.cache(lambda: _expected(scenario, play.mode, recorded))
    try:
        return _played(scenario, play.mode, play, expected, None, remembers)
    except _WrongScenarioError as error:
        return _wrong(scenario, error)


def record(scenario: Scenario, programs: Programs, stage: Stage) -> Expected:
    """How the reference solution plays a scenario, to be expected of others. Raises UndecidedError as `judge` does."""
    moments: list[tuple[int, History]] = []
    verdict = _judge(scenario, programs, stage, Unknown, moments)
    if verdict.status is Status.SKIPPED:
        return Unknown()
    failure = None
    if verdict.status is not Status.PASSED:
        words = f"the reference solution fails there itself. {verdict.message}"
        failure = Contradiction(verdict.failed_step or 0, words)
    return Recorded(
        scenario.casting.subject.name,
        verdict.observed,
        {line: (len(past.processes), len(past.events)) for line, past in moments},
        failure,
    )


def _judge(
    scenario: Scenario,
    programs: Programs,
    stage: Stage,
    expected: Callable[[], Expected],
    moments: list[tuple[int, History]] | None,
) -> Verdict:
    mode = stage.sandbox.mode
    if mode not in scenario.modes:
        return Verdict.of(
            scenario,
            Status.SKIPPED,
            f"Only judged in mode {' or '.join(scenario.modes)}, not in {mode}.",
        )
    if not scenario.can_be_waited_for and not stage.in_virtual_time:
        return Verdict.of(scenario, Status.SKIPPED, _TOO_LONG)
    try:
        with contextlib.closing(opened(scenario, programs, stage)) as play:
            verdict = _played(scenario, mode, play, expected, moments)
            # Whatever went wrong, it is why: all of the play was killed then.
            excess = play.excess()
            if excess is not None:
                message = _STOPPED.format(excess)
                verdict = replace(verdict, status=Status.FAILED, points=0, message=message)
            return verdict
    except UnableError as unable:
        return Verdict.of(scenario, Status.SKIPPED, f"It cannot be played here: {unable}.")
    except _WrongScenarioError as error:
        return _wrong(scenario, error)
    except (StageError, OSError) as error:
        raise UndecidedError(str(error)) from error


def _wrong(scenario: Scenario, error: _WrongScenarioError) -> Verdict:
    return Verdict.of(scenario, Status.ERROR, f"The scenario is wrong, not you: {error}")


def _played(
    scenario: Scenario,
    mode: str,
    play: StagedPlay,
    expected: Callable[[], Expected],
    moments: list[tuple[int, History]] | None,
    remembers: Callable[[Callable[[], str]], None] = lambda memory: None,
) -> Verdict:
    try:
        trial = _Trial(scenario, mode, play, expected, moments)
        remembers(trial.memory)
        verdict = trial.run()
        if trouble := play.trouble():
            raise ShortageError(trouble)
        return verdict
    except UnrulyError as unruly:
        contract = _STARTS_ONE if scenario.bill.expected == MODEL_OF_INIT else ""
        return Verdict.of(scenario, Status.FAILED, _NEVER_AT_REST.format(unruly) + contract)
    except ExcessError as excess:
        return Verdict.of(scenario, Status.FAILED, _STOPPED.format(excess))
    except (StageError, OSError) as error:
        if play.excess() is not None:
            return Verdict.of(scenario, Status.FAILED, str(error))
        raise UndecidedError(str(error), obstruction(play)) from error


def _expected(scenario: Scenario, mode: str, recorded: Callable[[], Expected]) -> Expected:
    if scenario.bill.expected == MODEL_OF_INIT:
        return Foreseen(_ideal(scenario, mode), scenario.casting.subject.name)
    return recorded() if scenario.bill.expected == REFERENCE else Unknown()


@functools.lru_cache(maxsize=1024)
def _ideal(scenario: Scenario, mode: str) -> Ideal:
    """The same for every submission of a class."""
    return Ideal(
        scenario.steps, mode=mode, command=scenario.modelled_command, terminal=scenario.terminal
    )


def _expects_end_of(subject: str, expected: Expectation) -> bool:
    ends = isinstance(expected, HasExited | HasDied | IsReaped | IsZombie)
    return ends and subject in expected.named[0]


def _holds(check: Check) -> bool:
    """Whether it does so far: not if that rests on an end which is not told yet."""
    try:
        return not check.broken(None)
    except UntoldError:
        return False


class _UnmetError(Exception):
    """An expectation that does not hold, or a step that cannot be played."""

    def __init__(self, line: int, message: str, remarks: dict[str, Remark]) -> None:
        super().__init__(message)
        self.line = line
        self.message = message
        self.remarks = remarks


class _WrongScenarioError(Exception):
    """What the script asks for, not even a perfect program could do."""


class _Trial:
    """One play being judged."""

    def __init__(
        self,
        scenario: Scenario,
        mode: str,
        play: StagedPlay,
        expected: Callable[[], Expected],
        moments: list[tuple[int, History]] | None,
    ) -> None:
        """`moments` gets how far the history had come once each line was over."""
        self._scenario = scenario
        self._expected = expected
        self._moments = moments
        self._end_is_expected = False  # the script has said that the subject ends, and so it has
        self._play = play
        self._subject = play.subject.name
        inbox = Inbox(play)
        self._observer = Observer(play, mode)
        self._director = Director(play, self._observer, inbox)
        self._explainer = Explainer(play, self._observer, scenario.bill.expected == MODEL_OF_INIT)
        self._checks = Checks(Facts(play, inbox, self._director.asked), self._explainer)

    def run(self) -> Verdict:
        try:
            first = self._scenario.first_deed
            if isinstance(first, SendsAtAnyMoment):
                self._director.arm(first)
            self._play.wait_for_fork()
            if self._scenario.casting.main:
                self._await_main()
            self._note_moment(0)
            for step in self._scenario.steps:
                if not isinstance(step, Beginning):
                    self._take(step)
                    self._note_moment(step.line)
            last = self._scenario.steps[-1].line
            if not self._play.init.ended() and self._should_live(last):
                self._director.come_to_rest()
            self._refuse_early_end(last)
        except _UnmetError as unmet:
            return self._verdict(Status.FAILED, unmet.message, unmet.line, unmet.remarks)
        last = self._scenario.steps[-1].line
        return self._verdict(Status.PASSED, "As it should be.", last, {})

    def memory(self) -> str:
        """A digest of all that a verdict may rest on, and that is not to be seen in the play any more."""
        remembered = repr((self._director.memory, self._end_is_expected))
        return hashlib.blake2b(remembered.encode(), digest_size=16).hexdigest()

    def _await_main(self) -> None:
        settled = self._play.wait_for_main()
        if settled is not None and self._director.armed:
            return  # a signal may have come before it could begin
        if settled is not None:
            self._refuse_contradiction(self._scenario.steps[0])
            raise _UnmetError(
                self._scenario.steps[0].line,
                self._explainer.never_started(settled),
                {self._subject: Remark(unexpected="should have started main")},
            )
        if not self._play.subject.is_actor:
            self._observer.born(MAIN, self._subject, 0)

    def _note_moment(self, line: int) -> None:
        if self._moments is not None:
            self._director.come_to_rest()
            self._observer.look(self._director.cause)
            self._moments.append((line, self._observer.history))

    def _take(self, step: Deed | Expectation) -> None:
        if step.line == self._director.armed:
            return  # it was the first one, and holds from the start of the play
        try:
            if isinstance(step, Expectation):
                self._expect(step)
            else:
                self._director.come_to_rest()
                if self._has_ended_early(step.line - 1):
                    raise ActorLostError(self._subject)
                self._director.perform(step)
        except ActorLostError as lost:
            self._refuse_contradiction(step)
            settled = self._play.settle()
            self._observer.greet(self._director.cause)
            raise _UnmetError(
                step.line, self._explainer.lost(lost), self._remarks(settled)
            ) from lost

    def _expect(self, expected: Expectation) -> None:
        self._director.let_it_come()
        check = self._checks.of(expected)
        if expected.traits.judged is Judged.AT_REST:
            settled = self._play.settle()
        else:
            settled = self._play.settle(lambda: _holds(check))
            if settled.rest is Rest.DONE:
                self._end_is_expected |= _expects_end_of(self._subject, expected)
                return
        names = check.broken(settled)
        if names and settled.rest is Rest.POLLING and not isinstance(expected, IsIdle):
            settled = self._play.outlast(lambda: _holds(check))
            settled = self._play.settle() if settled.rest is Rest.DONE else settled
            names = check.broken(settled)
        if names:
            self._observer.greet(self._director.cause)
            self._refuse_contradiction(expected)
            remarks = self._remarks(settled)
            tree = self._expected().expected_until(expected.line).tree()
            breach = Breach(names, settled, tree)
            for name in names:
                badge = check.badge(name, breach)
                remarks[name] = replace(remarks.get(name, Remark()), unexpected=badge)
            raise _UnmetError(expected.line, check.message(breach), remarks)
        self._end_is_expected |= _expects_end_of(self._subject, expected)
        self._refuse_early_end(expected.line)

    def _refuse_early_end(self, line: int) -> None:
        if self._has_ended_early(line):
            raise _UnmetError(line, self._explainer.ended_early(), {})

    def _has_ended_early(self, line: int) -> bool:
        """Whoever was expected to end, and has, need not be compared with anybody."""
        ended = self._play.init.ended()
        return ended and not self._end_is_expected and self._should_live(line)

    def _should_live(self, line: int) -> bool:
        """Whether a correct subject certainly still lives once the step at this line is over.

        Without a PID namespace the others outlive an init, and who is above it takes them over: that is not its merit.
        """
        return self._expected().lives(line)

    def _refuse_contradiction(self, step: Step) -> None:
        if objection := self._expected().objection(step.line):
            raise _WrongScenarioError(objection)

    def _remarks(self, settled: Settled) -> dict[str, Remark]:
        remark = self._explainer.remark_on_init(settled)
        return {} if remark == Remark() else {self._subject: remark}

    def _verdict(
        self, status: Status, message: str, line: int, remarks: dict[str, Remark]
    ) -> Verdict:
        """On the play until `line`, which failed or was the last one."""
        self._observer.look(self._director.cause)
        observed = self._observer.history
        failed = status is Status.FAILED
        foreseen = (
            self._expected()
            if failed or self._scenario.bill.expected == MODEL_OF_INIT
            else Unknown()
        )
        expected = foreseen.expected_until(line)
        if failed and expected.events:
            # What else is not as it should be says more than the one expectation that found it out.
            unlike = differences(expected.tree(), observed.tree(), ignore=foreseen.unknown)
            for name, words in unlike.items():
                before = remarks.get(name, Remark())
                remarks[name] = replace(before, unexpected=before.unexpected or words)
        known = {process.name for process in observed.processes}
        return replace(
            Verdict.of(self._scenario, status, message),
            failed_step=line if failed else None,
            expected=expected,
            observed=observed,
            remarks={name: remark for name, remark in remarks.items() if name in known},
            expected_remarks=foreseen.remarks(line),
        )
