"""Looking for a play that a submission fails: what counts, how small it becomes, and how the search ends."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest

from autograder.labs.lab import Lab, load_lab
from autograder.labs.mutants import load_mutants, write
from autograder.labs.scenario import Scenario
from autograder.language.expectations import Expectation
from autograder.language.roles import PIDNS, SUBREAPER, VIRTUAL
from autograder.stage.isolation import probe
from autograder.submission.intake import BuildError
from autograder.trial import fuzz as fuzzing
from autograder.trial.fuzz import fuzz
from autograder.trial.search import Search
from autograder.trial.verdict import Status, Verdict

LAB = load_lab("init")
SOLUTIONS = LAB.folder / "solution"
MUTANTS = {mutant.name: mutant for mutant in load_mutants(LAB)}
KEPT_SECRET = "the kernel does not tell how"
EVERY_DAY, SLOW = 12, 500
ALL = int(os.environ.get("FORKLAB_PLAYS", "10000"))


@dataclass
class Court:
    """Judges each play by its script, as `rule` says: None if it passes, else the line that fails."""

    rule: Callable[[str], int | None]
    mode: str = PIDNS
    plays: list[str] = field(default_factory=list)
    benches: int = 0

    def bench(self) -> Court:
        self.benches += 1
        return self

    def judge(self, scenario: Scenario) -> Verdict:
        self.plays.append(scenario.script)
        line = self.rule(scenario.script)
        status = Status.PASSED if line is None else Status.FAILED
        verdict = Verdict.of(scenario, status, "It is as we say.")
        return verdict if line is None else Verdict(**{**vars(verdict), "failed_step": line})

    def close(self) -> None:
        pass


def line_with(script: str, words: str) -> int | None:
    lines = script.splitlines()
    return next((n for n, line in enumerate(lines, 1) if words in line), None)


Search_ = Callable[..., tuple[Search, Court]]


@pytest.fixture
def search(monkeypatch: pytest.MonkeyPatch) -> Search_:
    """`search(rule, plays=..., seed=...)` with a judge who goes by the script alone."""

    def look(rule: Callable[[str], int | None], **how: object) -> tuple[Search, Court]:
        court = Court(rule)

        @contextlib.contextmanager
        def ready(lab: Lab, submission: Path, mode: str | None) -> Iterator[Court]:
            yield court

        monkeypatch.setattr(fuzzing, "ready", ready)
        return fuzz(LAB, Path(), **how), court  # type: ignore[arg-type]

    return look


def test_a_failing_play_is_made_as_small_as_it_can_be(search: Search_) -> None:
    found, _ = search(lambda script: line_with(script, "is stopped"), plays=500, seed=1)
    assert found.finding is not None and found.whole
    assert found.finding.scenario.script == "main stops\nexpect main is stopped\n"
    assert found.finding.verdict.failed_step == 2
    assert found.finding.steps > 2


def test_a_play_ends_where_it_fails_and_expects_nothing_else_before(search: Search_) -> None:
    def rule(script: str) -> int | None:
        return line_with(script, "is a child of init")

    found, _ = search(rule, plays=500, seed=1)
    assert found.finding is not None
    steps = found.finding.scenario.steps
    assert [isinstance(step, Expectation) for step in steps] == [False] * (len(steps) - 1) + [True]
    assert found.finding.scenario.script.splitlines()[-1].endswith("is a child of init")


def test_expectations_are_kept_without_which_the_play_passes(search: Search_) -> None:
    def rule(script: str) -> int | None:
        return line_with(script, "is stopped") if "starts clean" in script else None

    found, _ = search(rule, plays=500, seed=1)
    assert found.finding is not None
    script = "expect main starts clean\nmain stops\nexpect main is stopped\n"
    assert found.finding.scenario.script == script


def test_what_fails_once_and_not_again_does_not_count(search: Search_) -> None:
    seen: set[str] = set()

    def rule(script: str) -> int | None:
        again = script in seen
        seen.add(script)
        return None if again else 2

    found, court = search(rule, plays=20, seed=1)
    assert found.finding is None
    assert len(found.unsteady) == found.plays == 20
    assert court.benches == 21  # a new one after each: nothing that was done before counts


def test_a_play_that_stops_failing_is_told_as_it_was(search: Search_) -> None:
    """As with real processes: it has failed twice, and when it is played in the end, no more."""
    failures = itertools.count(1)

    def rule(script: str) -> int | None:
        line = line_with(script, "is stopped")
        return line if line is not None and next(failures) <= 2 else None

    found, _ = search(rule, plays=90, seed=1)
    assert found.finding is not None and not found.whole


def test_nothing_is_found_where_nothing_fails(search: Search_) -> None:
    told: list[int] = []
    found, court = search(
        lambda script: None, plays=40, seed=1, on_play=lambda now: told.append(now.plays)
    )
    assert (found.finding, found.plays) == (None, 40)
    assert len(set(court.plays)) == len(court.plays) == 40  # none of them twice
    assert told == list(range(1, 41))


def test_the_same_seed_draws_the_same_plays(search: Search_) -> None:
    def plays(seed: int) -> list[str]:
        return search(lambda script: None, plays=15, seed=seed)[1].plays

    assert plays(4) == plays(4) != plays(5)


def test_the_graders_own_trouble_ends_the_search(
    search: Search_, monkeypatch: pytest.MonkeyPatch
) -> None:
    def judge(court: Court, scenario: Scenario) -> Verdict:
        return Verdict.of(scenario, Status.ERROR, "There is no room.")

    monkeypatch.setattr(Court, "judge", judge)
    found, _ = search(lambda script: None, plays=40, seed=1)
    assert found.undecided is not None and found.undecided.message == "There is no room."
    assert found.finding is None


def test_a_search_ends_when_its_time_is_over(
    search: Search_, monkeypatch: pytest.MonkeyPatch
) -> None:
    hours = itertools.count(step=3600)
    monkeypatch.setattr(fuzzing, "time", SimpleNamespace(monotonic=lambda: next(hours)))
    found, _ = search(lambda script: None, plays=40, seed=1, seconds=7200)
    assert 0 < found.plays < 5 and found.finding is None


def test_when_the_time_is_over_the_smallest_play_so_far_is_told(
    search: Search_, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures: list[str] = []
    monkeypatch.setattr(fuzzing, "time", SimpleNamespace(monotonic=lambda: len(failures)))

    def rule(script: str) -> int | None:
        if line := line_with(script, "is stopped"):
            failures.append(script)
        return line

    found, _ = search(rule, plays=90, seed=1, seconds=3)
    assert found.finding is not None and not found.whole


def test_hypothesis_leaves_nothing_where_the_command_is_typed(
    search: Search_, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    search(lambda script: None, plays=30, seed=1)
    assert list(tmp_path.iterdir()) == []


def played(submission: Path, mode: str, plays: int, seed: int = 1) -> Search:
    if mode != SUBREAPER and probe().mode != PIDNS:
        pytest.skip(probe().why)
    return fuzz(LAB, submission, mode=mode, plays=plays, seed=seed)


every_stage = pytest.mark.parametrize("stage", [VIRTUAL, PIDNS, SUBREAPER])
every_size = pytest.mark.parametrize(
    "plays",
    [
        EVERY_DAY,
        pytest.param(SLOW, marks=pytest.mark.slow),
        pytest.param(ALL, marks=pytest.mark.reliability),
    ],
)


@every_stage
@every_size
def test_model_and_solution_agree_about_plays_that_nobody_wrote(stage: str, plays: int) -> None:
    """On every stage; FORKLAB_PLAYS says how many `make reliability` plays on each."""
    found = played(SOLUTIONS / "c", stage, plays, seed=plays)
    if found.undecided and os.geteuid() != 0 and KEPT_SECRET in found.undecided.message:
        pytest.skip(found.undecided.message)  # who may not trace a zombie: see Watched.wait_status
    assert found.undecided is None, found.undecided.message
    assert found.finding is None, found.finding and found.finding.scenario.script
    assert found.plays == plays


@pytest.mark.slow
@pytest.mark.parametrize("stage", [VIRTUAL, PIDNS])
@pytest.mark.parametrize(
    "design", sorted((Path(__file__).parents[2] / "labs/other_designs").glob("*.c"))
)
def test_inits_of_other_designs_pass_them_too(tmp_path: Path, design: Path, stage: str) -> None:
    (tmp_path / "init.c").write_text(design.read_text())
    found = played(tmp_path, stage, 200)
    assert found.undecided is None
    assert found.finding is None, found.finding and found.finding.scenario.script


@pytest.mark.parametrize("stage", [VIRTUAL, pytest.param(PIDNS, marks=pytest.mark.slow)])
def test_an_init_that_wakes_who_is_stopped_is_found_out(tmp_path: Path, stage: str) -> None:
    write(MUTANTS["wakes_stopped"], tmp_path)
    found = played(tmp_path, stage, 300)
    assert found.finding is not None
    assert found.finding.scenario.script == "main stops\nexpect main is stopped\n"


def test_what_cannot_be_built_cannot_be_played(tmp_path: Path) -> None:
    (tmp_path / "init.c").write_text("int main(void) { return pid; }")
    with pytest.raises(BuildError, match="undeclared"):
        played(tmp_path, probe().mode, 5)
