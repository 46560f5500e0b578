"""Real inits as witnesses: what is known of tini, dumb-init and the others, the judge must find out by itself.

The table is what was measured with other means, as PID 1 of a fresh PID namespace (Debian 12, Linux 6.18). A surprise
is a finding: about the init, about the lab, or about the judge.
"""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from autograder.labs.lab import load_lab
from autograder.language.roles import PIDNS, SUBREAPER
from autograder.stage.isolation import probe
from autograder.trial.assess import judge_installed
from autograder.trial.verdict import Status

LAB = load_lab("init")

REAPER = {s.name for s in LAB.scenarios if s.name[0] in "01"}
STATUS = {"20_exit_42", "21_exit_255", "22_exit_127", "23_killed", "24_crashed"}
START_FAILS = {"25_not_found", "26_not_executable", "27_directory"}
GROUP = {"38_grandchild", "39_orphan_in_the_group"}
PASSED_ON = {"30_term", "31_term_by_default", "33_usual_signals", "34_ignored_by_default"}
IDLE = {"53_idle", "54_idle_with_orphans", "55_idle_after_signals"}
CLEAN = {"50_starts_clean"}


@dataclass(frozen=True)
class Witness:
    """An init with its arguments; the scenarios that it is known to pass and to fail, and why."""

    command: tuple[str, ...]
    passes: frozenset[str]
    fails: frozenset[str]
    why: str


def witness(command: str, passes: set[str], fails: set[str], why: str) -> Witness:
    return Witness(tuple(command.split()), frozenset(passes), frozenset(fails), why)


WITNESSES = [
    witness(
        "tini --",
        (REAPER - {"13_stopped_orphan"}) | STATUS | START_FAILS | PASSED_ON | CLEAN,
        GROUP | IDLE | {"13_stopped_orphan"},
        "signals its child alone; wakes up every second (sigtimedwait), so it is never idle",
    ),
    witness(
        "tini -g --",
        (REAPER - {"13_stopped_orphan"}) | STATUS | START_FAILS | PASSED_ON | CLEAN | GROUP,
        IDLE | {"13_stopped_orphan"},
        "with -g it signals the group; it still wakes up every second",
    ),
    witness(
        "dumb-init --",
        REAPER | STATUS | PASSED_ON | GROUP | IDLE | CLEAN,
        START_FAILS | {"35_job_control"},
        "says 2 for a command that it cannot start; turns SIGTSTP into SIGSTOP for sessions",
    ),
    witness(
        "dumb-init -c --",
        REAPER | STATUS | PASSED_ON | IDLE | CLEAN,
        START_FAILS | GROUP,
        "with -c it signals its child alone",
    ),
    witness(
        "catatonit --",
        REAPER | STATUS | PASSED_ON | IDLE,
        START_FAILS | GROUP | CLEAN,
        "says 1 for a command that it cannot start; its child starts with TSTP, TTIN and TTOU blocked",
    ),
    Witness(
        ("sh", "-c", '"$@"; exit $?', "sh"),
        frozenset(REAPER | STATUS | START_FAILS | {"53_idle", "54_idle_with_orphans"} | CLEAN),
        frozenset(PASSED_ON | GROUP),
        "a shell reaps whatever dies and reports its command's status, but it passes no signal on",
    ),
]


@pytest.mark.witness
@pytest.mark.parametrize("known", WITNESSES, ids=lambda known: " ".join(known.command[:2]))
def test_a_real_init_does_what_is_known_of_it(known: Witness) -> None:
    if shutil.which(known.command[0]) is None:
        pytest.skip(f"{known.command[0]} is not installed")
    if probe().mode != PIDNS:
        pytest.skip(probe().why)
    wanted = [s for s in LAB.scenarios if s.name in known.passes | known.fails]
    # One that wakes up every second makes the judge wait for it: several plays at a time.
    with ThreadPoolExecutor(6) as stages:
        parts = stages.map(
            lambda part: judge_installed(known.command, part, mode=PIDNS),
            [wanted[i::6] for i in range(6)],
        )
        statuses = {verdict.scenario: verdict.status for part in parts for verdict in part}
    assert {name for name, status in statuses.items() if status is Status.FAILED} == known.fails
    assert {name for name, status in statuses.items() if status is Status.PASSED} == known.passes


@pytest.mark.witness
@pytest.mark.parametrize("mode", [PIDNS, SUBREAPER])
def test_a_command_that_is_its_own_init_leaves_its_zombies(mode: str) -> None:
    """`docker run image command` without an init: whoever is PID 1 inherits orphans that it does not know of."""
    if mode == PIDNS and probe().mode != PIDNS:
        pytest.skip(probe().why)
    orphan = [s for s in LAB.scenarios if s.name == "02_orphan"]
    [verdict] = judge_installed(("sh", "-c", '"$@" & exec sleep 1000', "sh"), orphan, mode=mode)
    assert verdict.status is Status.FAILED
    assert "zombie" in verdict.message
