"""Verdicts are about the play at rest: not about a moment by luck, and not about how fast the machine is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from autograder.labs.lab import load_lab
from autograder.labs.mutants import load_mutants, write
from autograder.language.roles import SUBREAPER
from autograder.stage.isolation import probe
from autograder.trial.assess import assess
from autograder.trial.verdict import Status

LAB = load_lab("init")
SOLUTION = (LAB.folder / "solution" / "c" / "init.c").read_text()
IDLE = {
    "13_stopped_orphan",
    "44_stopped_main",
    "45_signal_while_stopped",
    "53_idle",
    "54_idle_with_orphans",
    "55_idle_after_signals",
}


def mutant(name: str, folder: Path) -> Path:
    write(next(one for one in load_mutants(LAB) if one.name == name), folder)
    return folder


def changed(folder: Path, edits: Mapping[str, str]) -> Path:
    """The solution with other words in it."""
    text = SOLUTION
    for before, after in edits.items():
        assert before in text
        text = text.replace(before, after)
    (folder / "init.c").write_text(text)
    return folder


def failed(folder: Path, mode: str, *wanted: str) -> dict[str, str]:
    """The messages of the scenarios that failed, of those wanted, or of all. Nothing may be an error."""
    scenarios = [s for s in LAB.scenarios if not wanted or s.name in wanted]
    verdicts = assess(LAB, folder, mode=mode, scenarios=scenarios).verdicts
    assert Status.ERROR not in {verdict.status for verdict in verdicts}
    return {v.scenario: v.message for v in verdicts if v.status is Status.FAILED}


@pytest.fixture
def mode(any_mode: str) -> str:
    """All that stands here holds in virtual time, too."""
    return any_mode


WAKES = "13_stopped_orphan", "44_stopped_main", "45_signal_while_stopped"


def test_an_init_that_wakes_what_stops_fails_each_time(mode: str, tmp_path: Path) -> None:
    folder = mutant("wakes_stopped", tmp_path)
    for _ in range(5):
        assert set(failed(folder, mode, *WAKES)) == set(WAKES)


def test_a_limit_of_aeons_is_none(mode: str, tmp_path: Path) -> None:
    """So s6-svscan sleeps where it has nothing to wait for but its children."""
    waits = "sigwaitinfo(every_signal, NULL)"
    aeons = "sigtimedwait(every_signal, NULL, &(struct timespec){.tv_sec = 1L << 61})"
    assert not failed(changed(tmp_path, {waits: aeons}), mode, "13_stopped_orphan", "53_idle")


@pytest.mark.reliability
def test_an_init_that_wakes_what_stops_fails_a_thousand_times(
    mode: str, tmp_path: Path, busy_machine: None
) -> None:
    folder = mutant("wakes_stopped", tmp_path)
    names = [name for name in WAKES for _ in range(int(os.environ.get("FORKLAB_PLAYS", "1000")))]
    by_name = {scenario.name: scenario for scenario in LAB.scenarios}
    found = assess(LAB, folder, mode=mode, scenarios=[by_name[name] for name in names]).verdicts
    assert [v.scenario for v in found if v.status is not Status.FAILED] == []
    print(f"{len(found)} plays, each failed")


EXEC = "    execvp(command[0], command);\n"


@pytest.mark.parametrize("microseconds", [1000, 300_000])
def test_a_nap_before_the_exec_costs_nothing(mode: str, tmp_path: Path, microseconds: int) -> None:
    folder = changed(tmp_path, {EXEC: f"    usleep({microseconds});\n{EXEC}"})
    assert failed(folder, mode, "01_as_long_as_main", "02_orphan", "30_term", "53_idle") == {}


@pytest.mark.reliability
def test_a_nap_before_the_exec_costs_nothing_a_hundred_times(
    mode: str, tmp_path: Path, busy_machine: None
) -> None:
    folder = changed(tmp_path, {EXEC: f"    usleep(1000);\n{EXEC}"})
    for _ in range(int(os.environ.get("FORKLAB_ROUNDS", "100"))):
        assert failed(folder, mode) == {}


TAKE = "        int number = sigwaitinfo(every_signal, NULL);\n"


def test_a_nap_before_each_answer_costs_nothing(mode: str, tmp_path: Path) -> None:
    folder = changed(tmp_path, {TAKE: f"{TAKE}        usleep(20000);\n"})
    assert failed(folder, mode, "05_one_after_another", "30_term", "43_sigchld_stays") == {}


@pytest.mark.parametrize(
    "wait",
    [
        "        usleep(50000);\n"
        "        struct timespec none = {0};\n"
        "        int number = sigtimedwait(every_signal, NULL, &none);\n",
        "        ualarm(50000, 0);\n" + TAKE + "        if (number == SIGALRM) continue;\n",
    ],
)
def test_polling_costs_the_points_of_the_idle_scenarios_alone(
    mode: str, tmp_path: Path, wait: str
) -> None:
    folder = changed(tmp_path, {TAKE: wait})
    wanted = {"02_orphan", "05_one_after_another", "30_term", *IDLE} - {"45_signal_while_stopped"}
    found = failed(folder, mode, *wanted)
    assert set(found) == wanted & IDLE
    assert all("is polling" in message for message in found.values())


LOOKS_TWENTY_TIMES_A_SECOND = """
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
    (void)argc;
    setpgid(0, 0);
    signal(SIGTERM, SIG_IGN);
    pid_t child = fork();
    if (child == 0) {
        signal(SIGTERM, SIG_DFL);
        execvp(argv[2], argv + 2);
        _exit(127);
    }
    double end = now() + atof(argv[1]);
    int late = 0, status;
    while (waitpid(child, &status, WNOHANG) == 0) {
        if (!late && now() >= end) {
            kill(0, SIGTERM);
            late = 1;
        }
        usleep(50000);
    }
    return late ? 124 : WEXITSTATUS(status);
}
"""


def test_who_polls_until_a_moment_is_waited_for(mode: str, tmp_path: Path) -> None:
    """subprocess.Popen.wait(timeout) does so: what is expected comes, when the program's own clock says so."""
    (tmp_path / "timeout.c").write_text(LOOKS_TWENTY_TIMES_A_SECOND)
    lab = load_lab("timeout")
    wanted = ("05_catches_it", "06_the_whole_group")
    scenarios = [scenario for scenario in lab.scenarios if scenario.name in wanted]
    found = assess(lab, tmp_path, mode=mode, scenarios=scenarios).verdicts
    assert [v.message for v in found if v.status is not Status.PASSED] == []


def test_time_to_think_costs_nothing(mode: str, tmp_path: Path) -> None:
    """50 ms of processor time at each answer: that is slow, but no spinning."""
    think = "        for (clock_t end = clock() + 50000; clock() < end;) {}\n"
    folder = changed(
        tmp_path, {TAKE: TAKE + think, "#include <err.h>": "#include <err.h>\n#include <time.h>"}
    )
    assert failed(folder, mode, "02_orphan", "30_term", "53_idle") == {}


def test_an_init_whose_first_thread_has_ended_is_judged(mode: str, tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text("init: work.c\n\tcc -pthread -o $@ $<\n")
    text = SOLUTION.replace(
        "int main(int argc, char *argv[]) {", "static int work(int argc, char **argv) {"
    )
    text += """
#include <pthread.h>
static char **given;
static void *second(void *none) { (void)none; int n = 0; while (given[n]) n++; exit(work(n, given)); }
int main(int argc, char **argv) {
    (void)argc; given = argv;
    sigset_t all; sigfillset(&all); sigprocmask(SIG_SETMASK, &all, NULL);
    pthread_t thread;
    pthread_create(&thread, NULL, second, NULL);
    pthread_exit(NULL);
}
"""
    (tmp_path / "work.c").write_text(text)
    wanted = "02_orphan", "08_burst", "30_term", "42_three_at_once", "53_idle"
    assert failed(tmp_path, mode, *wanted) == {}


def test_where_init_is_no_pid_1_nobody_else_finishes_its_play(tmp_path: Path) -> None:
    """It ends with the first orphan. Who is above it reaps the others, and main does not end it any more."""
    folder = mutant("any_child_will_do", tmp_path)
    modes = {SUBREAPER, probe().mode}
    for _ in range(5):
        for mode in modes:
            [message] = failed(folder, mode, "05_one_after_another").values()
            assert "your init exited with 0 before it" in message
