"""An error is never free for who causes it, costs nobody else anything, and takes bounded time."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.labs.lab import load_lab
from autograder.labs.scenario import Scenario, load_scenario
from autograder.language.roles import SUBREAPER, VIRTUAL
from autograder.stage.conduct import Conduct
from autograder.stage.errors import StageError
from autograder.stage.machine import Needs, refuse_if_short, shortage
from autograder.stage.workspace import Workspace
from autograder.trial import bench as benches
from autograder.trial.assess import assess, ready
from autograder.trial.bench import Bench
from autograder.trial.decide import UndecidedError
from autograder.trial.reference import Reference
from autograder.trial.verdict import Status, Verdict

LAB = load_lab("init")
ORPHAN, OUTPUT = (s for s in LAB.scenarios if s.name in ("02_orphan", "56_output"))
ACTION = "it sleeps in state D"


class FakeStage:
    """Whose plays it would be, and nothing else."""

    def __init__(
        self,
        mode: str,
        workspace: object,
        folder: Path,
        conduct: object = None,
        *,
        seed: int = 0,
    ) -> None:
        self.folder = folder
        self.sandbox = self

    def close(self) -> None:
        pass

    def __enter__(self) -> FakeStage:
        return self

    def __exit__(self, *_: object) -> None:
        pass


class Court:
    """A bench whose plays go as we say: for the submission one after the other, for the reference always the same."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, workspace: Workspace, plays: list[Status | None]
    ) -> None:
        self.reference: Status | None = Status.PASSED
        self.has_reference = True
        self.seen = [ACTION] * len(plays)  # at what the submission is seen, play by play
        self.played = 0
        submission, reference = workspace.subfolder(), workspace.subfolder()

        def judge(
            scenario: Scenario, programs: object, stage: FakeStage, recorded: object = None
        ) -> Verdict:
            status, doing = self.reference, ""
            if stage.folder == submission:
                status, doing = plays[self.played], self.seen[self.played]
                self.played += 1
            if status is None:
                raise UndecidedError("nobody can tell", doing)
            return Verdict.of(scenario, status, "")

        monkeypatch.setattr(benches, "Stage", FakeStage)
        monkeypatch.setattr(benches, "judge", judge)
        monkeypatch.setattr(benches, "shortage", lambda needs: self.lack)
        self.lack = ""

        def command(folder: str) -> list[str]:
            return []

        self.bench = Bench(
            "pidns",
            workspace,
            submission,
            {"init": command},
            Reference((), lambda: (reference, {"init": command}) if self.has_reference else None),
            [ORPHAN],
        )

    def verdict(self) -> Verdict:
        return self.bench.judge(ORPHAN)


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Workspace() as made:
        yield made


UNDECIDED = None


@pytest.mark.parametrize("any_mode", [VIRTUAL], indirect=True)
def test_a_proof_within_a_play_asks_nobody_whether_it_may_begin(
    any_mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would wait for ever for who wants to be alone, and who is alone for itself."""
    path = tmp_path / "explored.toml"
    script = "main exits 3\nexpect init exits 3"
    path.write_text(
        f"title = 'A'\npoints = 1\nwhy = 'B'\nexplore = 'every schedule'\nscript = \"\"\"{script}\"\"\"\n"
    )
    plays = []

    def judge(*words: object) -> Verdict:
        plays.append(words)
        if len(plays) == 1:
            raise UndecidedError("nobody knows")
        return really_judge(*words)  # type: ignore[arg-type]

    really_judge = benches.judge
    monkeypatch.setattr(benches, "judge", judge)
    with (
        ready(LAB, LAB.folder / "solution" / "c", any_mode) as built,
        contextlib.closing(built.bench()) as bench,
    ):
        verdict = bench.judge(load_scenario(path))
    assert len(plays) == 2
    assert verdict.status is Status.PASSED
    assert "all" in verdict.proof and "schedules" in verdict.proof


def test_what_cannot_be_decided_is_played_again_alone(
    monkeypatch: pytest.MonkeyPatch, workspace: Workspace
) -> None:
    court = Court(monkeypatch, workspace, [UNDECIDED, Status.PASSED])
    assert court.verdict().status is Status.PASSED


def test_where_the_reference_can_be_judged_the_submission_has_failed_and_hears_why(
    monkeypatch: pytest.MonkeyPatch, workspace: Workspace
) -> None:
    verdict = Court(monkeypatch, workspace, [UNDECIDED, UNDECIDED]).verdict()
    assert verdict.status is Status.FAILED
    assert ACTION in verdict.message


@pytest.mark.parametrize("reference", [Status.FAILED, UNDECIDED])
def test_where_the_reference_cannot_be_judged_either_the_machine_is_at_fault(
    monkeypatch: pytest.MonkeyPatch, workspace: Workspace, reference: Status | None
) -> None:
    court = Court(monkeypatch, workspace, [UNDECIDED] * 6)
    court.reference = reference
    for _ in range(3):
        assert court.verdict().status is Status.ERROR


@pytest.mark.parametrize(
    ("seen", "status"),
    [
        ([ACTION, ACTION], Status.FAILED),
        ([ACTION, ""], Status.ERROR),
        (["", ACTION], Status.ERROR),
        (["", ""], Status.ERROR),
    ],
)
def test_without_a_reference_it_has_to_be_seen_at_it_each_time(
    monkeypatch: pytest.MonkeyPatch, workspace: Workspace, seen: list[str], status: Status
) -> None:
    court = Court(monkeypatch, workspace, [UNDECIDED, UNDECIDED])
    court.has_reference, court.seen = False, seen
    verdict = court.verdict()
    assert verdict.status is status
    assert (ACTION in verdict.message) == (status is Status.FAILED)


def test_without_a_reference_a_machine_that_is_short_of_something_is_at_fault(
    monkeypatch: pytest.MonkeyPatch, workspace: Workspace
) -> None:
    court = Court(monkeypatch, workspace, [UNDECIDED, UNDECIDED])
    court.has_reference, court.lack = False, "only 3 more processes can be started"
    verdict = court.verdict()
    assert verdict.status is Status.ERROR
    assert "3 more processes" in verdict.message


def test_who_did_it_three_times_is_not_played_any_more(
    monkeypatch: pytest.MonkeyPatch, workspace: Workspace
) -> None:
    court = Court(monkeypatch, workspace, [UNDECIDED] * 4)
    found = [court.verdict() for _ in range(46)]
    assert {verdict.status for verdict in found} == {Status.FAILED}
    assert court.played == 4  # twice at first, then once
    assert "Not played" in found[-1].message and ACTION in found[-1].message


def test_nobody_fails_on_a_machine_that_is_short_of_something(
    monkeypatch: pytest.MonkeyPatch, workspace: Workspace
) -> None:
    court = Court(monkeypatch, workspace, [Status.FAILED] * 2)
    court.lack, court.reference = "only 3 more processes can be started", Status.FAILED
    verdict = court.verdict()
    assert verdict.status is Status.ERROR
    assert "3 more processes" in verdict.message


def test_an_init_that_spins_instead_of_starting_main_is_played_three_times(
    tmp_path: Path, mode: str
) -> None:
    (tmp_path / "init.c").write_text("int main(void) { for (;;) {} }")
    wanted = [s for s in LAB.scenarios if mode in s.modes][:8]
    verdicts = assess(LAB, tmp_path, mode=mode, scenarios=wanted).verdicts
    assert {verdict.status for verdict in verdicts} == {Status.FAILED}
    assert ["Not played" in verdict.message for verdict in verdicts] == [False] * 3 + [True] * 5


def test_one_who_has_started_main_once_is_always_played() -> None:
    conduct = Conduct()
    for main in (False, False, False, True):
        conduct.starts(main, spinning=not main)
    assert conduct.spun_instead == 3 and conduct.started


def test_what_one_solution_did_is_not_expected_where_another_one_is_the_reference(
    tmp_path: Path, mode: str
) -> None:
    """A lab whose solution is changed while the judge is running, as a teacher does in a notebook."""
    lab = load_lab("exit_status")
    wanted = [scenario for scenario in lab.scenarios if scenario.name == "01_exits"]
    starter = lab.folder / "starter" / "c"
    right = (lab.folder / "solution" / "c" / "fate.c").read_text()
    spoilt = tmp_path / "solution" / "c" / "fate.c"
    spoilt.parent.mkdir(parents=True)
    spoilt.write_text(right.replace("return WEXITSTATUS(status);", "return 99;"))
    for folder, status in ((lab.folder, 42), (tmp_path, 99)):
        there = replace(lab, folder=folder)
        [verdict] = assess(there, starter, mode=mode, scenarios=wanted).verdicts
        assert verdict.status is Status.FAILED
        assert verdict.expected.tree()["fate"].status == status


NO_CHILDREN_FOR_MAIN = """
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int count, char **words) {
    (void)count;
    pid_t command = fork();
    if (command == 0) {
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_NPROC, &none);
        execv(words[1], words + 1);
    }
    for (;;) wait(NULL);
}
"""


def test_one_that_fakes_a_machine_short_of_processes_fails(tmp_path: Path, mode: str) -> None:
    (tmp_path / "init.c").write_text(NO_CHILDREN_FOR_MAIN)
    [verdict] = assess(LAB, tmp_path, mode=mode, scenarios=[ORPHAN]).verdicts
    assert verdict.status is Status.FAILED
    assert "fork" in verdict.message


SLEEPS_WHERE_NOTHING_WAKES_IT = """
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
static pid_t command;
static int wait_for_main(void *none) {
    int status; (void)none;
    waitpid(command, &status, 0);
    _exit(WEXITSTATUS(status));
}
int main(int count, char **words) {
    sigset_t all; int number; (void)count;
    sigfillset(&all); sigprocmask(SIG_BLOCK, &all, NULL);
    if ((command = fork()) == 0) { sigprocmask(SIG_UNBLOCK, &all, NULL); execv(words[1], words + 1); }
    sigwait(&all, &number);
    clone(wait_for_main, (char *)malloc(65536) + 65536, CLONE_VM | CLONE_SIGHAND | CLONE_THREAD | CLONE_VFORK, NULL);
    return 0;
}
"""


def test_who_makes_itself_uninterruptible_is_no_better_off_than_its_honest_twin(
    tmp_path: Path, mode: str
) -> None:
    """An orphan is beyond it: so it goes to sleep in state D, where it was an error and cost nothing."""
    (tmp_path / "init.c").write_text(SLEEPS_WHERE_NOTHING_WAKES_IT)
    [verdict] = assess(LAB, tmp_path, mode=mode, scenarios=[ORPHAN]).verdicts
    assert verdict.status is Status.FAILED
    assert "stayed a zombie" in verdict.message


@pytest.mark.parametrize("has_reference", [True, False])
def test_an_actor_that_cannot_reach_us_does_not_end_with_a_status(
    tmp_path: Path, mode: str, has_reference: bool
) -> None:
    """A hundred open files leave no room for its connection: the submission's doing, told as what it is."""
    lab = LAB if has_reference else replace(LAB, folder=tmp_path)
    text = (LAB.folder / "solution" / "c" / "init.c").read_text()
    limit = "struct rlimit few = {100, 100}; setrlimit(RLIMIT_NOFILE, &few); execvp(command[0], command);"
    text = text.replace("execvp(command[0], command);", limit)
    (tmp_path / "init.c").write_text("#include <sys/resource.h>\n" + text)
    [verdict] = assess(lab, tmp_path, mode=mode, scenarios=[ORPHAN]).verdicts
    assert verdict.status is Status.FAILED
    assert "an actor cannot reach the judge" in verdict.message


def test_a_command_that_writes_into_a_full_pipe_is_told_so(tmp_path: Path, mode: str) -> None:
    (tmp_path / "init.c").write_text(
        """
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int count, char **words) {
    int ends[2]; char block[4096] = {0}; (void)count;
    if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) < 0) return 1;
    while (write(ends[1], block, sizeof block) > 0) {}
    fcntl(ends[1], F_SETFL, 0);
    if (fork() == 0) { dup2(ends[1], 1); execv(words[1], words + 1); }
    for (;;) wait(NULL);
}
"""
    )
    [verdict] = assess(LAB, tmp_path, mode=mode, scenarios=[OUTPUT]).verdicts
    assert verdict.status is Status.FAILED
    # Of a program that may not be read the kernel tells in what it is blocked to root alone.
    told = os.geteuid() == 0 or mode == SUBREAPER
    assert ("blocked in write" if told else "does not answer") in verdict.message


def test_a_dev_null_that_submissions_may_not_open_costs_nobody_points(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A program of root's in a container that shares our /dev can take it for its terminal, and keep it to itself."""
    monkeypatch.setattr(os, "devnull", str(tmp_path / "null"))
    (tmp_path / "null").touch(0o620)
    assert "Try: chmod 666" in shortage(Needs(2, tmp_path))
    with pytest.raises(StageError, match="chmod 666"):
        refuse_if_short(Needs(2, tmp_path))


@pytest.mark.parametrize("limit", ["--nofile=64", "--nproc=20"])
def test_a_machine_that_would_cost_points_is_refused_with_the_remedy(limit: str) -> None:
    program = "from autograder.command.cli import main; import sys; sys.exit(main())"
    words = ["check", "init", str(LAB.folder / "solution" / "c"), "--scenario", "08_burst"]
    done = subprocess.run(
        ["prlimit", limit, sys.executable, "-c", program, *words],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 2, done.stdout
    assert "Try: ulimit" in done.stderr


def test_so_is_one_where_nothing_may_be_executed_in_the_temporary_folder() -> None:
    mounted = 'mount -t tmpfs -o noexec,mode=1777 none /mnt || exit 77; TMPDIR=/mnt exec "$@"'
    program = "from autograder.command.cli import main; import sys; sys.exit(main())"
    words = [sys.executable, "-c", program, "check", "init", str(LAB.folder / "solution" / "c")]
    done = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", mounted, "sh", *words],
        capture_output=True,
        text=True,
        timeout=300,
    )
    if done.returncode not in (0, 2):
        pytest.skip(f"this machine lets us mount nothing: {done.stderr}")
    assert "mounted noexec). Set TMPDIR" in done.stderr


def test_this_machine_has_what_a_small_play_needs(workspace: Workspace) -> None:
    assert shortage(Needs(2, workspace.folder)) == ""


def test_a_control_group_without_room_is_refused(
    monkeypatch: pytest.MonkeyPatch, workspace: Workspace
) -> None:
    monkeypatch.setattr("autograder.stage.machine._room_in_groups", lambda: 5)
    with pytest.raises(StageError, match="pids-limit"):
        refuse_if_short(Needs(40, workspace.folder))


def test_a_temporary_folder_from_which_nothing_may_be_executed_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(StageError, match="TMPDIR"):
        refuse_if_short(Needs(2, Path("/proc")))  # mounted noexec, as some have /tmp
