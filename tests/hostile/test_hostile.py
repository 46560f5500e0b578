"""No submission reaches what is outside, none takes for ever, and none changes the next student's result.

Each file in submissions/ is one of them; its first line says what it tries. Those that can show that they were refused
go on as a correct init, and pass: an attack that works ends with status 99, which no scenario expects.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet
from canaries import SECRET, Canaries, set_out

from autograder.labs.lab import load_lab
from autograder.labs.scenario import Scenario
from autograder.language.roles import (
    PIDNS,
    SUBREAPER,
    VIRTUAL,
    VIRTUAL_SUBREAPER,
    isolation_of,
)
from autograder.stage.endurance import Endurance
from autograder.stage.isolation import lacks
from autograder.trial.assess import assess
from autograder.trial.verdict import Status, Verdict

HERE = Path(__file__).parent
LAB = load_lab("init")
ORPHAN, EXIT, CLEAN, ON_A_TERMINAL, TERMINAL = (
    next(s for s in LAB.scenarios if s.name == name)
    for name in (
        "02_orphan",
        "20_exit_42",
        "50_starts_clean",
        "51_terminal",
        "52_uses_the_terminal",
    )
)
MORE_SCENARIOS = {
    "filter": CLEAN,
    "types": ON_A_TERMINAL,
    "holds_the_terminal": TERMINAL,
}  # for those with such a name
SOLUTION = LAB.folder / "solution" / "c"

IN_REAL_TIME = (PIDNS, SUBREAPER)
IN_VIRTUAL_TIME = (VIRTUAL, VIRTUAL_SUBREAPER)
PASSED, FAILED = Status.PASSED, Status.FAILED
# What is to be expected of each, as PID 1 and as a subreaper, and words that tell the student why ("a|b": one of two;
# where nobody has to wait for the other, in virtual time, they may be told by other signs). None: chance decides, and
# neither is a fault.
EXPECTED: dict[str, tuple[Status | None, Status | None, str]] = {
    "abstract_socket.py": (PASSED, PASSED, ""),
    "answers_for_its_command.c": (PASSED, PASSED, ""),
    "attacks_from_make.mk": (PASSED, PASSED, ""),
    "becomes_root.c": (PASSED, PASSED, ""),
    "bombs_from_make.mk": (FAILED, FAILED, "512 processes"),
    "bursts_from_make.mk": (FAILED, FAILED, ""),
    "cannot_be_looked_into.c": (PASSED, PASSED, ""),
    "children_kill_each_other.c": (PASSED, FAILED, ""),
    "clones_oddly.c": (PASSED, FAILED, ""),
    "closes_everything.c": (PASSED, PASSED, ""),
    "comet.c": (FAILED, FAILED, ""),
    "comet_beside.c": (None, None, ""),
    "compiler_bomb.c": (FAILED, FAILED, "could not be built"),
    "connects_to_others.py": (PASSED, PASSED, ""),
    "daemon_escape.c": (PASSED, PASSED, ""),
    "datagrams.py": (PASSED, PASSED, ""),
    "deep_folders.mk": (None, None, ""),
    "deletes_all.py": (PASSED, PASSED, ""),
    "deletes_itself.c": (PASSED, PASSED, ""),
    "early_actor.c": (PASSED, PASSED, ""),
    "endless_output.py": (FAILED, FAILED, "before it had started its command"),
    "executes_from_a_thread.c": (PASSED, PASSED, ""),
    "executes_itself_for_ever.c": (FAILED, FAILED, "does not start its command"),
    "fake_results.py": (FAILED, FAILED, "before it had started its command"),
    "fills_pipes.c": (FAILED, FAILED, "never started its command"),
    "fills_the_disk.py": (PASSED, FAILED, "MB of files"),
    "fills_the_disk_from_make.mk": (FAILED, FAILED, ""),
    "fills_the_inodes.py": (PASSED, FAILED, ""),
    "fills_the_inodes_from_make.mk": (FAILED, FAILED, ""),
    "forged_hello.c": (FAILED, FAILED, "never started its command"),
    "fork_bomb.c": (
        FAILED,
        FAILED,
        "512 processes|running all the time|one process after the other",
    ),
    "good_only_when_watched.c": (FAILED, FAILED, "exited with 3"),
    "hangs.py": (FAILED, FAILED, "never started its command"),
    "hides_behind_a_filter.c": (FAILED, FAILED, "descriptor 7 came with it"),
    "holds_a_vfork.c": (FAILED, FAILED, "never started its command"),
    "holds_the_terminal.py": (FAILED, FAILED, ""),
    "huge_argv.c": (PASSED, PASSED, ""),
    "ignores_everything.c": (FAILED, FAILED, "never started its command"),
    "includes_the_solution.c": (FAILED, FAILED, "could not be built"),
    "includes_without_end.c": (FAILED, FAILED, ""),
    "kills_everybody.c": (PASSED, PASSED, ""),
    "kills_from_make.mk": (FAILED, FAILED, ""),
    "kills_its_parent.c": (PASSED, PASSED, ""),
    "knocks_without_end.c": (None, None, ""),
    "leaves_a_daemon.mk": (PASSED, PASSED, ""),
    "leaves_a_message.py": (PASSED, PASSED, ""),
    "lies_about_the_clock.c": (PASSED, PASSED, ""),
    "limits_everybody.py": (PASSED, PASSED, ""),
    "links_out.mk": (FAILED, FAILED, ""),
    "locked_folders.mk": (PASSED, PASSED, ""),
    "locks_files.c": (PASSED, PASSED, ""),
    "looks_into_others.c": (PASSED, PASSED, ""),
    "memory_in_eight.c": (FAILED, FAILED, "512 MB of memory"),
    "memory_without_owner.c": (PASSED, PASSED, ""),
    "network.py": (PASSED, PASSED, ""),
    "nobody_s_memory.c": (PASSED, PASSED, ""),
    "opens_namespaces.c": (PASSED, PASSED, ""),
    "other_doors.c": (PASSED, PASSED, ""),
    "overwrites_all.py": (PASSED, PASSED, ""),
    "preloads.mk": (PASSED, PASSED, ""),
    "raises_limits.c": (PASSED, PASSED, ""),
    "reaches_for_its_tracer.c": (PASSED, PASSED, ""),
    "reads_environments.py": (PASSED, PASSED, ""),
    "reads_solutions.py": (PASSED, PASSED, ""),
    "renames_itself.c": (PASSED, PASSED, ""),
    "rewrites_an_actor.c": (PASSED, PASSED, ""),
    "rings_for_ever.c": (None, None, ""),
    "shared_connection.c": (FAILED, FAILED, "never started its command|stayed a zombie"),
    "shared_memory.c": (FAILED, FAILED, "512 MB of memory"),
    "signals_by_descriptor.c": (PASSED, PASSED, ""),
    "signals_from_a_shell.sh": (
        FAILED,
        FAILED,
        "before it had started its command|does not start its command",
    ),
    "silent_connections.c": (FAILED, FAILED, ""),
    "slows_others_down.c": (PASSED, PASSED, ""),
    "special_files.mk": (PASSED, PASSED, ""),
    "spins.c": (FAILED, FAILED, "does not start its command"),
    "stops_itself.c": (FAILED, FAILED, "start"),
    "stops_the_actors.c": (FAILED, FAILED, ""),
    "starves_its_command.c": (FAILED, FAILED, "cannot"),
    "threads.c": (FAILED, FAILED, "512 processes|256 processes"),
    "traces_an_actor.c": (PASSED, PASSED, ""),
    "traces_the_grader.c": (PASSED, PASSED, ""),
    "types_into_a_terminal.c": (PASSED, PASSED, ""),
    "uses_up_an_account.c": (PASSED, PASSED, ""),
}
# As a plain user without namespaces nobody can count what is in such a folder.
EXPECTED_OF_AN_ACCOUNT = {"locked_folders.mk": (FAILED, "nobody may enter")}
# Whom nobody lets in at all there.
EXPECTED_IN_VIRTUAL_SUBREAPER = {"silent_connections.c": (PASSED, "")}
# They need tens of seconds of the processor below the lens, as each of their steps is seen.
HEAVY_IN_VIRTUAL_TIME = {"knocks_without_end.c", "rings_for_ever.c", "threads.c"}
NEED_LANDLOCK = {  # in mode subreaper
    "abstract_socket.py",
    "attacks_from_make.mk",
    "good_only_when_watched.c",
    "includes_the_solution.c",
    "links_out.mk",
    "overwrites_all.py",
    "reads_solutions.py",
}


@pytest.fixture
def canaries(monkeypatch: pytest.MonkeyPatch) -> Iterator[Canaries]:
    with set_out() as those:
        monkeypatch.setattr(tempfile, "tempdir", str(those.scratch))
        monkeypatch.setenv("FORKLAB_SECRET", SECRET)
        yield those


def hand_in(name: str, folder: Path, canaries: Canaries) -> Path:
    """Makes a folder of the submission, with what all of them share and the targets that this test has for them."""
    source = HERE / "submissions" / name
    kind = source.suffix
    target = {".c": "init.c", ".py": "init.py", ".mk": "Makefile", ".sh": "init"}[kind]
    shutil.copy(source, folder / target)
    (folder / target).chmod(0o755)
    facts: dict[str, str | int] = {
        **canaries.facts(),
        "GRADER": os.getpid(),
        "GRADER_NAME": Path("/proc/self/comm").read_text(),
        "SOLUTION": str(SOLUTION / "init.c"),
        "SCENARIO": str(LAB.folder / "scenarios" / "02_orphan.toml"),
    }
    if kind == ".py":
        shutil.copy(HERE / "behave.py", folder)
        lines = [f"{name} = {value!r}" for name, value in facts.items()]
        (folder / "target.py").write_text("\n".join(lines))
    if kind in (".c", ".mk"):
        shutil.copy(HERE / "behave.h", folder)
        lines = [f"#define {name} {_in_c(value)}" for name, value in facts.items()]
        (folder / "target.h").write_text("\n".join(lines) + "\n")
    if kind == ".mk":
        shutil.copy(HERE / "good.txt", folder)
        lines = [f"{name} = {str(value).strip()}" for name, value in facts.items()]
        (folder / "target.mk").write_text("\n".join(lines) + "\n")
    return folder


def _in_c(value: str | int) -> str:
    return str(value) if isinstance(value, int) else '"' + value.replace("\n", "\\n") + '"'


def verdicts(submission: Path, mode: str, *more: Scenario) -> tuple[Verdict, ...]:
    scenarios = [ORPHAN, EXIT, *more]
    return assess(LAB, submission, mode=mode, scenarios=scenarios).verdicts


def test_every_submission_is_told_what_to_expect() -> None:
    assert sorted(EXPECTED) == sorted(path.name for path in (HERE / "submissions").iterdir())
    assert len(EXPECTED) >= 30


def _in_mode(place: int, name: str, mode: str) -> ParameterSet:
    """`make test` tries each in one of the modes; where it comes to another end as PID 1, in both in real time."""
    in_pidns, in_subreaper, _ = EXPECTED[name]
    modes = IN_REAL_TIME if name in HEAVY_IN_VIRTUAL_TIME else (*IN_REAL_TIME, *IN_VIRTUAL_TIME)
    is_sampled = mode == modes[place % len(modes)]
    is_sampled |= in_pidns is not in_subreaper and mode in IN_REAL_TIME
    marks = () if is_sampled else pytest.mark.slow
    return pytest.param(name, mode, id=f"{mode}-{name}", marks=marks)


EVERY_ONE_IN_EACH_MODE = [
    _in_mode(place, name, mode)
    for place, name in enumerate(sorted(EXPECTED))
    for mode in (*IN_REAL_TIME, *IN_VIRTUAL_TIME)
]


@pytest.fixture(scope="module")
def solution(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built once, and handed in as a program."""
    folder = tmp_path_factory.mktemp("solution")
    subprocess.run(["cc", "-o", folder / "init", SOLUTION / "init.c"], check=True)
    return folder


@pytest.mark.parametrize("name, any_mode", EVERY_ONE_IN_EACH_MODE, indirect=["any_mode"])
def test_it_is_contained(
    name: str,
    any_mode: str,
    tmp_path: Path,
    canaries: Canaries,
    solution: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mode = any_mode
    if (
        isolation_of(mode) == SUBREAPER
        and name in NEED_LANDLOCK
        and any(lack.startswith("files are not hidden") for lack in lacks(mode))
    ):
        pytest.skip("this kernel has no Landlock")
    # Not with a bomb: whoever counts 640 processes that all want to run gets little time to do so.
    if "bomb" not in name:
        impatient = Endurance(processor=10.0, asleep=10.0, machine=600.0)
        monkeypatch.setattr("autograder.trial.assess._OF_A_BUILD", impatient)
    submission = hand_in(name, tmp_path, canaries)
    found = verdicts(submission, mode, *(s for word, s in MORE_SCENARIOS.items() if word in name))
    assert canaries.complaints() == []
    assert SECRET not in "".join(verdict.message for verdict in found)
    in_pidns, in_subreaper, words = EXPECTED[name]
    expected = in_pidns if isolation_of(mode) == PIDNS else in_subreaper
    if mode == SUBREAPER and os.geteuid() != 0:
        expected, words = EXPECTED_OF_AN_ACCOUNT.get(name, (expected, words))
    statuses = {verdict.status for verdict in found}
    assert statuses <= {PASSED, FAILED}, [verdict.message for verdict in found]
    if mode == VIRTUAL_SUBREAPER:
        expected, words = EXPECTED_IN_VIRTUAL_SUBREAPER.get(name, (expected, words))
    if expected is not None:
        assert (FAILED in statuses) is (expected is FAILED), [verdict.message for verdict in found]
    if expected is FAILED:
        told = [verdict.message for verdict in found]
        assert any(word in message for word in words.split("|") for message in told), told
    assert {verdict.status for verdict in verdicts(solution, mode)} == {PASSED}
