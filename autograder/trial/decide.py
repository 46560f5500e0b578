"""Plays one scenario on the stage, decides by what the kernel says, and explains: steps in, `Verdict` out."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace

from autograder.ideal.ideal import Ideal
from autograder.labs.scenario import Scenario
from autograder.language.beginnings import Beginning
from autograder.language.deeds import Deed
from autograder.language.expectations import Expectation
from autograder.language.roles import INIT, MAIN
from autograder.language.sentence import Judged
from autograder.language.steps import Step
from autograder.stage.actors import ActorLostError
from autograder.stage.errors import ShortageError, StageError, UnableError, UnrulyError
from autograder.stage.play import Play
from autograder.stage.quiescence import Rest, Settled
from autograder.stage.stage import Stage
from autograder.stage.staged import StagedPlay
from autograder.stage.virtual import VirtualPlay
from autograder.trial.begin import start_of
from autograder.trial.checks import Breach, Checks
from autograder.trial.compare import differences
from autograder.trial.direct import Director
from autograder.trial.explain import Explainer, obstruction
from autograder.trial.facts import Facts
from autograder.trial.inbox import Inbox
from autograder.trial.observe import Observer
from autograder.trial.verdict import Status, Verdict
from forklab.history import Remark, State

_NEVER_AT_REST = (
    "Your program starts processes of its own without an end ({}). "
    "An init starts its command and nothing else."
)


class UndecidedError(Exception):
    """A play has come to no verdict: `trouble` is what we could not do, `doing` what was seen in the play meanwhile."""

    def __init__(self, trouble: str, doing: str = "") -> None:
        super().__init__(trouble)
        self.trouble = trouble.rstrip(".")
        self.doing = doing


def judge(scenario: Scenario, init: Sequence[str], stage: Stage) -> Verdict:
    """Plays `scenario` against `init`, a command inside the stage's sandbox, and says how it went.

    Raises UndecidedError if that cannot be told, whosever fault it is.
    """
    mode = stage.sandbox.mode
    if mode not in scenario.modes:
        return Verdict.of(
            scenario,
            Status.SKIPPED,
            f"Only judged in mode {' or '.join(scenario.modes)}, not in {mode}.",
        )
    command = [*init, *(stage.main if scenario.command is None else scenario.command)]
    try:
        with _opened(scenario, command, stage) as play:
            verdict = _played(scenario, mode, play)
            # Whatever went wrong, it is why: all of the play was killed then.
            excess = play.excess()
            if excess is not None:
                message = f"Your program was stopped: it took {excess}."
                verdict = replace(verdict, status=Status.FAILED, points=0, message=message)
            return verdict
    except UnableError as unable:
        return Verdict.of(scenario, Status.SKIPPED, f"It cannot be played here: {unable}.")
    except _WrongScenarioError as error:
        return Verdict.of(scenario, Status.ERROR, f"The scenario is wrong, not you: {error}")
    except (StageError, OSError) as error:
        raise UndecidedError(str(error)) from error


def _opened(scenario: Scenario, command: Sequence[str], stage: Stage) -> Play | VirtualPlay:
    """Who is next is another chance in each scenario, and the same one each time that it is played."""
    start = start_of(step for step in scenario.steps if isinstance(step, Beginning))
    if stage.in_virtual_time:
        return VirtualPlay(
            stage, command, terminal=scenario.terminal, start=start, seed=scenario.name
        )
    return Play(stage, command, terminal=scenario.terminal, start=start)


def _played(scenario: Scenario, mode: str, play: StagedPlay) -> Verdict:
    try:
        verdict = _Trial(scenario, mode, play).run()
        if trouble := play.trouble():
            raise ShortageError(trouble)
        return verdict
    except UnrulyError as unruly:
        return Verdict.of(scenario, Status.FAILED, _NEVER_AT_REST.format(unruly))
    except (StageError, OSError) as error:
        if play.excess() is not None:
            return Verdict.of(scenario, Status.FAILED, str(error))
        raise UndecidedError(str(error), obstruction(play)) from error


@functools.lru_cache(maxsize=1024)
def _ideal(scenario: Scenario, mode: str) -> Ideal:
    """The same for every submission of a class."""
    return Ideal(scenario.steps, mode=mode, command=scenario.command, terminal=scenario.terminal)


class _UnmetError(Exception):
    """An expectation that does not hold, or a step that cannot be played."""

    def __init__(self, line: int, message: str, remarks: dict[str, Remark]) -> None:
        super().__init__(message)
        self.line = line
        self.message = message
        self.remarks = remarks


class _WrongScenarioError(Exception):
    """What the script asks for, not even a perfect init could do."""


class _Trial:
    """One play being judged."""

    def __init__(self, scenario: Scenario, mode: str, play: StagedPlay) -> None:
        self._scenario = scenario
        self._ideal = _ideal(scenario, mode)
        self._play = play
        inbox = Inbox(play)
        self._observer = Observer(play, mode)
        self._director = Director(play, self._observer, inbox)
        self._explainer = Explainer(play, self._observer)
        self._checks = Checks(Facts(play, inbox), self._explainer)

    def run(self) -> Verdict:
        try:
            self._play.wait_for_fork()
            if self._scenario.command is None:
                self._await_main()
            for step in self._scenario.steps:
                if not isinstance(step, Beginning):
                    self._take(step)
            if self._should_live(self._scenario.steps[-1].line):
                self._director.come_to_rest()
                self._refuse_early_end(self._scenario.steps[-1].line)
        except _UnmetError as unmet:
            return self._verdict(Status.FAILED, unmet.message, unmet.line, unmet.remarks)
        last = self._scenario.steps[-1].line
        return self._verdict(Status.PASSED, "As it should be.", last, {})

    def _await_main(self) -> None:
        settled = self._play.wait_for_main()
        if settled is not None:
            raise _UnmetError(
                self._scenario.steps[0].line,
                self._explainer.never_started(settled),
                {INIT: Remark(unexpected="should have started main")},
            )
        self._observer.born(MAIN, INIT, 0)

    def _take(self, step: Deed | Expectation) -> None:
        try:
            if isinstance(step, Expectation):
                self._expect(step)
            else:
                self._director.come_to_rest()
                if self._play.init.ended() and self._should_live(step.line - 1):
                    raise ActorLostError(INIT)
                self._director.perform(step)
        except ActorLostError as lost:
            self._refuse_contradiction(step)
            settled = self._play.settle()
            raise _UnmetError(
                step.line, self._explainer.lost(lost), self._remarks(settled)
            ) from lost

    def _expect(self, expected: Expectation) -> None:
        check = self._checks.of(expected)
        if expected.traits.judged is Judged.AT_REST:
            settled = self._play.settle()
        else:
            settled = self._play.settle(lambda: not check.broken(None))
            if settled.rest is Rest.DONE:
                return
        if names := check.broken(settled):
            self._refuse_contradiction(expected)
            remarks = self._remarks(settled)
            tree = self._ideal.expected_until(expected.line).tree()
            breach = Breach(names, settled, tree)
            for name in names:
                badge = check.badge(name, breach)
                remarks[name] = replace(remarks.get(name, Remark()), unexpected=badge)
            raise _UnmetError(expected.line, check.message(breach), remarks)
        self._refuse_early_end(expected.line)

    def _refuse_early_end(self, line: int) -> None:
        if self._play.init.ended() and self._should_live(line):
            raise _UnmetError(line, self._explainer.ended_early(), {})

    def _should_live(self, line: int) -> bool:
        """Whether a perfect init still lives once the step at this line is over; of a command nobody knows.

        Without a PID namespace the others outlive it, and who is above it takes them over: that is not its merit.
        """
        if self._ideal.opaque:
            return False
        return self._ideal.expected_until(line).tree()[INIT].state is State.RUNNING

    def _refuse_contradiction(self, step: Step) -> None:
        for contradiction in self._ideal.contradictions:
            if contradiction.line == step.line:
                raise _WrongScenarioError(str(contradiction))

    def _remarks(self, settled: Settled) -> dict[str, Remark]:
        remark = self._explainer.remark_on_init(settled)
        return {} if remark == Remark() else {INIT: remark}

    def _verdict(
        self, status: Status, message: str, line: int, remarks: dict[str, Remark]
    ) -> Verdict:
        """On the play until `line`, which failed or was the last one."""
        self._observer.look(self._director.cause)
        expected, observed = self._ideal.expected_until(line), self._observer.history
        failed = status is Status.FAILED
        if failed:
            # What else is not as it should be says more than the one expectation that found it out.
            unlike = differences(expected.tree(), observed.tree(), ignore=self._ideal.opaque)
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
            expected_remarks=self._ideal.remarks(line),
        )
