"""Bad submissions of every kind get a clear verdict, quickly, in words for the student; nobody gets a traceback."""

from __future__ import annotations

import errno
import os
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import pytest

from autograder.labs.lab import Lab, load_lab
from autograder.language.roles import PIDNS, SUBREAPER
from autograder.language.script import parse
from autograder.stage.contained import Completed, run_contained
from autograder.stage.endurance import Endurance
from autograder.stage.errors import StageError
from autograder.stage.isolation import lacks, probe
from autograder.stage.watch import Watched
from autograder.trial.assess import assess
from autograder.trial.verdict import Assessment, Status, Verdict

LAB = load_lab("init")
ORPHAN = next(s for s in LAB.scenarios if s.name == "02_orphan")

NEVER_FORKS = "#include <unistd.h>\nint main(int n, char **v) { return execvp(v[1], v + 1), n; }"


def judged(folder: Path, mode: str, script: str = ORPHAN.script, **files: str) -> Verdict:
    """The verdict on a submission of these files (init_c becomes init.c) by one scenario."""
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)
    scenario = replace(ORPHAN, script=script, steps=tuple(parse(script)))
    [verdict] = assess(LAB, folder, mode=mode, scenarios=[scenario]).verdicts
    return verdict


def test_an_init_that_exits_at_once_is_told_so_with_its_own_words(
    tmp_path: Path, mode: str
) -> None:
    verdict = judged(tmp_path, mode, init_py="import sys; sys.exit('I give up')")
    assert verdict.status is Status.FAILED
    assert "exited with 1 before it had started its command" in verdict.message
    assert "I give up" in verdict.message


def test_main_can_die_by_a_signal_that_is_pending_for_it(mode: str) -> None:
    script = "main blocks SIGINT\nsend SIGINT to init\nmain dies by SIGINT\nexpect init exits 130\n"
    scenario = replace(ORPHAN, script=script, steps=tuple(parse(script)))
    [verdict] = assess(LAB, LAB.folder / "solution" / "c", mode=mode, scenarios=[scenario]).verdicts
    assert verdict.status is Status.PASSED, verdict.message


def test_an_init_that_hangs_before_it_starts_its_command(tmp_path: Path, mode: str) -> None:
    verdict = judged(tmp_path, mode, init_py="import signal; signal.pause()")
    assert "never started its command: it is asleep in" in verdict.message
    assert verdict.failed_step == 1


def test_an_init_that_spins_before_it_starts_its_command(tmp_path: Path, mode: str) -> None:
    verdict = judged(tmp_path, mode, init_c="int main(void) { for (;;) {} }")
    assert "runs and runs but does not start its command" in verdict.message


def test_an_init_that_closes_every_descriptor_is_judged_all_the_same(
    tmp_path: Path, mode: str
) -> None:
    source = """
    import os, sys
    os.closerange(0, 256)
    child = os.fork()
    if child == 0:
        os.execv(sys.argv[1], sys.argv[1:])
    while True:
        pid, status = os.wait()
        if pid == child:
            os._exit(os.waitstatus_to_exitcode(status))
    """
    assert judged(tmp_path, mode, init_py=textwrap.dedent(source)).status is Status.PASSED
    verdict = judged(
        tmp_path, mode, "main says hello\nexpect output hello", init_py=textwrap.dedent(source)
    )
    assert verdict.status is Status.FAILED
    assert "Bad file descriptor" in verdict.message
    assert verdict.message.endswith("did your init close it?")


def test_an_init_that_lets_its_command_ignore_sigchld(tmp_path: Path, mode: str) -> None:
    source = """
    import os, signal, sys
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    if os.fork() == 0:
        os.execv(sys.argv[1], sys.argv[1:])
    signal.pause()
    """
    script = "main forks worker\nworker exits 3\nmain reaps worker\nexpect worker is reaped"
    verdict = judged(tmp_path, mode, script, init_py=textwrap.dedent(source))
    assert verdict.failed_step == 3
    assert verdict.message.endswith("did it start with SIGCHLD ignored?")


def test_children_of_one_who_ignores_sigchld_are_collected_by_the_kernel(
    tmp_path: Path, mode: str
) -> None:
    source = """
    import os, signal, sys
    command = os.fork()
    if command == 0:
        os.execv(sys.argv[1], sys.argv[1:])
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.pause()
    """
    script = """main ignores SIGCHLD
    main forks worker
    worker forks child
    worker exits 3
    expect worker is reaped
    child exits 0
    expect child is reaped"""
    verdict = judged(tmp_path, mode, script, init_py=textwrap.dedent(source))
    assert verdict.status is Status.PASSED
    observed, expected = verdict.observed.tree(), verdict.expected.tree()
    assert (observed["worker"].reaped_by, expected["worker"].reaped_by) == ("kernel", "kernel")
    assert (observed["child"].reaped_by, expected["child"].reaped_by) == ("kernel", "init")


def test_an_init_that_prints_a_megabyte_is_judged_all_the_same(tmp_path: Path, mode: str) -> None:
    source = """
    import os, sys
    print("x" * 1_000_000, flush=True)
    child = os.fork()
    if child == 0:
        os.execv(sys.argv[1], sys.argv[1:])
    while True:
        pid, status = os.wait()
        if pid == child:
            os._exit(os.waitstatus_to_exitcode(status))
    """
    assert judged(tmp_path, mode, init_py=textwrap.dedent(source)).status is Status.PASSED


def test_a_command_that_init_stops_is_no_fault_of_the_grader(tmp_path: Path, mode: str) -> None:
    source = """
    import os, signal, sys
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        os.execv(sys.argv[1], sys.argv[1:])
    signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGSTOP))
    while True:
        pid, status = os.wait()
        if pid == child:
            os._exit(0)
    """
    script = "main catches SIGTERM\nsend SIGTERM to init\nmain forks worker\nexpect worker is alive"
    verdict = judged(tmp_path, mode, script, init_py=textwrap.dedent(source))
    assert verdict.status is Status.FAILED
    assert "main (1000) is stopped by SIGSTOP" in verdict.message


def test_an_init_that_floods_its_command_with_signals(tmp_path: Path, mode: str) -> None:
    source = """
    import os, signal, sys
    child = os.fork()
    if child == 0:
        os.execv(sys.argv[1], sys.argv[1:])
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    signal.sigwait([signal.SIGUSR1])
    while True:
        os.kill(child, signal.SIGUSR1)
    """
    script = "main catches SIGUSR1\nsend SIGUSR1 to init\nexpect main gets SIGUSR1 1 times"
    verdict = judged(tmp_path, mode, script, init_py=textwrap.dedent(source))
    assert verdict.status is Status.FAILED


def test_a_build_that_fails_is_a_verdict_with_the_compilers_words(
    tmp_path: Path, mode: str
) -> None:
    verdict = judged(tmp_path, mode, init_c="int main(void) { return undeclared; }")
    assert verdict.status is Status.FAILED
    assert "undeclared" in verdict.message and "init.c:1" in verdict.message


def test_a_makefile_is_run_inside(tmp_path: Path, mode: str) -> None:
    (tmp_path / "work.c").write_text((LAB.folder / "solution" / "c" / "init.c").read_text())
    (tmp_path / "Makefile").write_text("init: work.c\n\tcc -O1 -o $@ $<\n")
    assert judged(tmp_path, mode).status is Status.PASSED


def test_a_build_that_never_ends_is_cut_off(
    tmp_path: Path, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograder.trial.assess._OF_A_BUILD", Endurance(60, 0.5, 60))
    (tmp_path / "Makefile").write_text("init:\n\tsleep 1000\n")
    verdict = judged(tmp_path, mode)
    assert verdict.status is Status.FAILED
    assert "took too long" in verdict.message


def test_whose_fault_it_is_that_a_build_does_not_end_is_told_by_the_solutions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograder.trial.assess._OF_A_BUILD", Endurance(60, 60, 5))
    (tmp_path / "Makefile").write_text("init:\n\tsleep 1000\n")
    verdict = judged(tmp_path, probe().mode)
    assert verdict.status is Status.FAILED
    assert "has not ended, while the lab's own solution can be built here" in verdict.message
    monkeypatch.setattr("autograder.trial.assess._OF_A_BUILD", Endurance(60, 60, 0.3))
    without_solution = replace(LAB, folder=tmp_path)
    with pytest.raises(StageError, match="has not ended: this machine is too busy"):
        assess(without_solution, tmp_path, mode=probe().mode, scenarios=[ORPHAN])


def test_a_build_that_fails_where_the_machine_is_short_of_something_is_no_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograder.trial.assess.shortage", lambda _: "no memory is left")
    with pytest.raises(StageError, match="nothing can be built on this machine: no memory is left"):
        judged(tmp_path, probe().mode, init_c="int main(void) { return undeclared; }")


def test_a_build_that_tells_of_a_shortage_is_tried_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    builds = []
    in_earnest = run_contained

    def run(*order: Any) -> Completed:
        builds.append(order)
        words = "cc: fork: Resource temporarily unavailable"
        return Completed(1, words) if len(builds) == 1 else in_earnest(*order)

    monkeypatch.setattr("autograder.trial.assess.run_contained", run)
    solution = (LAB.folder / "solution" / "c" / "init.c").read_text()
    assert judged(tmp_path, probe().mode, init_c=solution).status is Status.PASSED


def short_of_processes(*_: object, **__: object) -> NoReturn:
    raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))


def test_where_nothing_can_be_started_the_machine_is_to_blame(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograder.stage.workspace.subprocess.Popen", short_of_processes)
    verdict = judged(tmp_path, probe().mode, init_c=NEVER_FORKS)
    assert verdict.status is Status.ERROR
    assert "short of something (Resource temporarily unavailable): " in verdict.message


def test_an_empty_submission_says_what_is_wanted(tmp_path: Path, mode: str) -> None:
    verdict = judged(tmp_path, mode)
    assert verdict.status is Status.FAILED
    assert "Makefile, C files" in verdict.message and "init.py" in verdict.message


@pytest.mark.parametrize(
    ("script", "line"),
    [
        ("main starts a session\nmain exits 0\nexpect init exits 0", "line 1"),
        ("main exits 0\nexpect init exits 5", "line 2"),
        ("freeze init\nmain exits 0\nexpect main is reaped", "line 3"),
    ],
)
def test_a_scenario_that_nobody_can_pass_is_an_error_and_not_the_students(
    tmp_path: Path, mode: str, script: str, line: str
) -> None:
    solution = (LAB.folder / "solution" / "c" / "init.c").read_text()
    verdict = judged(tmp_path, mode, script, init_c=solution)
    assert verdict.status is Status.ERROR
    assert line in verdict.message


def test_who_falls_with_pid_1_keeps_its_parent(tmp_path: Path, mode: str) -> None:
    solution = (LAB.folder / "solution" / "c" / "init.c").read_text()
    script = "main forks a\na forks b\nmain exits 0\nexpect init exits 0"
    verdict = judged(tmp_path, mode, script, init_c=solution)
    observed, expected = verdict.observed.tree(), verdict.expected.tree()
    assert [(n.name, n.parent) for n in observed] == [(n.name, n.parent) for n in expected]
    assert observed["b"].parent == "a"


def test_a_mode_that_a_scenario_cannot_be_judged_in_is_skipped(tmp_path: Path) -> None:
    pid_1_only: Lab = replace(LAB, scenarios=(replace(ORPHAN, modes=(PIDNS,)),))
    [verdict] = assess(pid_1_only, LAB.folder / "solution" / "c", mode=SUBREAPER).verdicts
    assert verdict.status is Status.SKIPPED
    assert verdict.points == 0


def test_what_was_not_enforced_is_kept_with_the_result(mode: str) -> None:
    found = assess(LAB, LAB.folder / "solution" / "c", mode=mode, scenarios=())
    assert found.unenforced == lacks(mode)
    assert Assessment.from_json(found.to_json()) == found


def test_an_init_that_becomes_its_command_is_told_that_it_never_forked(
    tmp_path: Path, mode: str
) -> None:
    verdict = judged(tmp_path, mode, init_c=NEVER_FORKS)
    assert verdict.status is Status.FAILED
    assert "Your init has executed the command itself" in verdict.message


def test_a_command_that_was_init_itself_is_not_left_when_it_ends(tmp_path: Path) -> None:
    if probe().mode != PIDNS:
        pytest.skip(probe().why)
    script = "main forks child\nmain exits 0\nexpect init exits 0\nexpect nobody is left"
    assert judged(tmp_path, PIDNS, script, init_c=NEVER_FORKS).status is Status.PASSED


def test_no_message_has_a_pid_that_differs_each_time(tmp_path: Path, mode: str) -> None:
    """Whoever init waits for is no actor here, and has no number that pictures show."""
    waits = """
        #include <sys/wait.h>
        #include <unistd.h>
        int main(void) { pid_t child = fork(); if (child == 0) pause(); return waitpid(child, NULL, 0); }
        """
    message = judged(tmp_path, mode, init_c=waits).message
    assert "asleep in waitpid(its child), which waits for that process alone" in message


@pytest.mark.parametrize("line", ["expect child exits 3", "expect child gets nothing"])
def test_how_one_ended_of_whom_the_kernel_does_not_tell_is_no_verdict(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Watched, "wait_status", lambda _: None)
    source = (LAB.folder / "solution" / "c" / "init.c").read_text()
    script = f"main forks child\nchild exits 3\n{line}"
    verdict = judged(tmp_path, probe().mode, script, init_c=source)
    assert verdict.status is Status.ERROR
    assert "the kernel does not tell how child ended" in verdict.message
