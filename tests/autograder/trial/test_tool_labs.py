"""Plays about a tool: what actors run, as often as the script says; and what else such a script can say."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.labs.flaws import LabError
from autograder.labs.lab import load_lab
from autograder.trial.assess import assess
from autograder.trial.verdict import Status, Verdict

LAB = """
title = "A small lab"
role = "tool"
program = "tool"
commands = ["sleepy"]
expected = "none"
"""


@pytest.fixture
def mode(any_mode: str) -> str:
    """All that stands here holds in virtual time, too."""
    return any_mode


def judged(folder: Path, mode: str, script: str, program: str = "exit 3") -> Verdict:
    """The verdict on a program, a script for sh(1), by one scenario."""
    (folder / "lab/scenarios").mkdir(parents=True)
    (folder / "lab/lab.toml").write_text(LAB)
    text = f"title = 't'\npoints = 1\nwhy = 'w'\nscript = '''\n{script}\n'''\n"
    (folder / "lab/scenarios/01.toml").write_text(text)
    (folder / "submission").mkdir()
    (folder / "submission/tool").write_text(f"#!/bin/sh\n{program}\n")
    (folder / "submission/tool").chmod(0o755)
    [verdict] = assess(load_lab(folder / "lab"), folder / "submission", mode=mode).verdicts
    return verdict


def test_actors_run_it_again_and_again_and_it_has_their_names(tmp_path: Path, mode: str) -> None:
    script = """
    main forks a
    a runs tool 'two words'
    expect a exits 3
    expect output is exactly two words
    expect a is a zombie
    main reaps a
    main forks b1..b2
    b1..b2 run tool again
    expect b1..b2 exit 3
    main forks c
    c runs no-such-program
    expect c exits 127
    main exits 0
    expect main exits 0
    """
    verdict = judged(tmp_path, mode, script, 'echo "$1"; exit 3')
    assert verdict.status is Status.PASSED, verdict.message
    assert next(event.argv for event in verdict.observed.events if event.kind == "exec") == (
        "tool",
        "two words",
    )


def test_a_command_that_is_run_by_an_actor_is_one_of_its_runs(tmp_path: Path, mode: str) -> None:
    script = """
    expect sleepy runs 0 times
    main forks a1..a2
    a1 runs tool
    expect sleepy runs 1 time
    a2 runs sleepy
    expect sleepy-2 is alive
    expect sleepy runs 2 times
    sleepy-2 exits 4
    expect a2 exits 4
    sleepy exits 5
    expect a1 exits 5
    """
    verdict = judged(tmp_path, mode, script, "sleepy; exit $?")
    assert verdict.status is Status.PASSED, verdict.message


def test_how_often_it_has_run_is_told(tmp_path: Path, mode: str) -> None:
    script = "main forks a\na runs tool\nexpect sleepy runs 2 times"
    verdict = judged(tmp_path, mode, script, "sleepy")
    assert verdict.status is Status.FAILED
    assert "sleepy has been run once, and not twice." in verdict.message


def test_nothing_is_told_of_what_main_is_busy_with(tmp_path: Path, mode: str) -> None:
    script = "main forks a\na runs tool\nexpect a exits 4"
    verdict = judged(tmp_path, mode, script)
    assert verdict.message == "a (1000) exited with 3 and is a zombie instead of exiting with 4."
    assert "main" not in verdict.remarks


def test_a_file_is_written_anew_and_a_pid_is_that_which_others_see(
    tmp_path: Path, mode: str
) -> None:
    script = """
    main forks a
    main fills a.pid with something long
    main fills a.pid with {pid of a}
    a catches SIGHUP
    main fills nothing.txt with ""
    main forks reader
    reader runs tool {pid of a}
    expect output is exactly same
    expect a gets SIGHUP
    """
    program = """
    read -r pid <"$TMPDIR/a.pid"
    kill -HUP "$pid"
    [ "$pid" = "$1" ] && echo same
    wc -c <"$TMPDIR/nothing.txt" >&2
    """
    verdict = judged(tmp_path, mode, script + "expect error output is exactly 0", program)
    assert verdict.status is Status.PASSED, verdict.message


def test_who_takes_its_time_ends_by_the_signal_and_not_before(tmp_path: Path, mode: str) -> None:
    script = """
    main forks a
    on SIGTERM a exits 6 after 0.2s
    main forks killer
    killer runs kill {pid of a}
    expect a gets SIGTERM
    expect a exits 6
    """
    verdict = judged(tmp_path, mode, script)
    assert verdict.status is Status.PASSED, verdict.message


POLLER = """
import time
began = time.monotonic()
while time.monotonic() < began + 1.5:
    time.sleep(0.05)
"""


def test_time_passes_also_for_who_polls(tmp_path: Path, mode: str) -> None:
    """It would be given up for polling before."""
    script = "main forks a\na runs tool\nlet 2s pass\nexpect a exits 0"
    program = f"exec python3 -c '{POLLER}'"
    verdict = judged(tmp_path, mode, script, program)
    assert verdict.status is Status.PASSED, verdict.message


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        ("main forks a\na runs tool\na exits 0", "runs another program since line 2"),
        ("main forks a\na runs 'tool", "that is no command line"),
        ('main forks a\na runs ""', "that is no command line"),
        ("expect main runs 1 time", "main is no command, and nobody can run it"),
        ("main exits 0\nmain forks a", "main is dead since line 1"),
        ("main forks main", "main is there from the start"),
        ("main fills /etc/passwd with x", "not the name of a file"),
        ("let 0s pass", "not a time"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, script: str, complaint: str) -> None:
    with pytest.raises(LabError, match=complaint):
        judged(tmp_path, "pidns", f"{script}\nexpect main is alive")


def test_a_tool_has_no_command_line_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "lab.toml").write_text(f"{LAB}\nrun = ['{{program}}']\n")
    with pytest.raises(LabError, match="nothing runs a tool but actors"):
        load_lab(tmp_path)
