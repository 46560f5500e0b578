"""Plays about a service manager: what a script says to it, and what it expects of units."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.labs.flaws import LabError
from autograder.labs.lab import load_lab
from autograder.trial.assess import assess
from autograder.trial.verdict import Status, Verdict

LAB = """
title = "A small lab"
program = "manager"
run = ["{program}"]
commands = ["web"]
expected = "none"
"""

# Knows one unit, answers as it is told to, and takes a service for ready once it has said so.
MANAGER = """
while read -r verb rest; do
    case $verb in
    start)
        echo "web: activating"
        mkfifo "$TMPDIR/ready.fifo"
        NOTIFY_FD=5 web 5>"$TMPDIR/ready.fifo" &
        read -r word <"$TMPDIR/ready.fifo"
        echo "web[7]: said $word"
        echo "web: active (7)"
        echo "ok: start $rest" ;;
    run) web & ;;
    fail) echo "failed: fail $rest" ;;
    esac
done
exec sleep 1000
"""


@pytest.fixture
def mode(any_mode: str) -> str:
    """All that stands here holds in virtual time, too."""
    return any_mode


def judged(folder: Path, mode: str, script: str) -> Verdict:
    (folder / "lab/scenarios").mkdir(parents=True)
    (folder / "lab/lab.toml").write_text(LAB)
    text = f"title = 't'\npoints = 1\nwhy = 'w'\nscript = '''\n{script}\n'''\n"
    (folder / "lab/scenarios/01.toml").write_text(text)
    (folder / "submission").mkdir()
    (folder / "submission/manager").write_text(f"#!/bin/sh\n{MANAGER}\n")
    (folder / "submission/manager").chmod(0o755)
    [verdict] = assess(load_lab(folder / "lab"), folder / "submission", mode=mode).verdicts
    return verdict


def test_a_command_waits_until_a_service_is_ready(tmp_path: Path, mode: str) -> None:
    script = """
    expect unit web is inactive
    ctl start web
    expect web is alive
    expect unit web is activating
    expect ctl waits
    web is ready
    expect unit web is active
    expect unit web is active (7)
    expect journal of web has READY=1
    expect ctl succeeds
    ctl fail web
    expect ctl fails
    ctl fail web
    expect ctl fails
    """
    verdict = judged(tmp_path, mode, script)
    assert verdict.status is Status.PASSED, verdict.message


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("ctl nothing\nexpect ctl fails", "'nothing' has not been answered instead of 'failed: "),
        ("ctl fail x\nexpect ctl succeeds", "answered 'failed: fail x' instead of 'ok: fail x'"),
        ("ctl fail x\nexpect ctl waits", "and should not be answered yet"),
        ("ctl fail x\nctl fail x\nctl x\nexpect ctl fails", "'x' has not been answered"),
        ("ctl start web\nexpect unit web is active", "web is activating instead of active"),
        ("ctl start web\nexpect unit web is activ", "web is activating instead of activ"),
        ("ctl start web\nexpect journal of web has ready", "The journal of web has no 'ready'"),
        ("ctl run web\nweb is ready", "It has nobody to tell"),
    ],
)
def test_what_is_not_so_is_told(tmp_path: Path, script: str, message: str) -> None:
    verdict = judged(tmp_path, "pidns", script + "\nexpect init is alive")
    assert verdict.status is Status.FAILED
    assert message in verdict.message


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        ("expect ctl succeeds", "there was no command"),
        ("end the input\nctl start web", "the input has ended"),
        ("init is ready", "it follows no script"),
        ("expect unit /etc is active", "is not the name of a unit"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, script: str, complaint: str) -> None:
    with pytest.raises(LabError, match=complaint):
        judged(tmp_path, "pidns", f"{script}\nexpect init is alive")


def test_nobody_waits_for_a_play_that_takes_long(tmp_path: Path) -> None:
    script = "let 6s pass\nlet 6s pass\nexpect init is alive"
    verdict = judged(tmp_path, "pidns", script)
    assert verdict.status is Status.SKIPPED
    assert "only judged in virtual time" in verdict.message


@pytest.mark.parametrize("any_mode", ["virtual"], indirect=True)
def test_in_virtual_time_it_costs_nothing(tmp_path: Path, any_mode: str) -> None:
    verdict = judged(tmp_path, any_mode, "let 900s pass\nexpect init is alive")
    assert verdict.status is Status.PASSED, verdict.message
