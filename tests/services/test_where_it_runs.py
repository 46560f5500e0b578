"""The manager as PID 1 of a namespace, on a full disk, with a thousand units, and in virtual time."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from managed import Managed, managed, until, write

from forklab.services.journal import read
from forklab.services.keepers import keeper_program
from forklab.services.processes import children

NAMESPACE = (
    "unshare",
    "--user",
    "--map-root-user",
    "--pid",
    "--fork",
    "--kill-child",
    "--mount-proc",
)


def commands(manager: Managed) -> list[str]:
    return [each["command"] for each in manager.unit("web")["processes"]]


@pytest.fixture
def namespaces() -> None:
    if subprocess.run([*NAMESPACE, "true"], capture_output=True).returncode:
        pytest.skip("this machine lets nobody make PID namespaces")


def test_as_pid_1_it_reaps_whoever_is_orphaned(namespaces: None) -> None:
    with managed({"web": "/bin/sh -c 'exec sleep 1000'"}, "web", before=NAMESPACE) as manager:
        until(lambda: manager.stands("web") == "active/running/success")
        assert manager.unit("web")["pids"]["keeper"] < 20
        assert manager.ask("exit").status == 0
        assert manager.process.wait(60) == 0
        assert not manager.place.exists()


def test_where_proc_is_that_of_others_it_is_refused(namespaces: None, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "forklab.command.main", "services", str(tmp_path)]
    without = [word for word in NAMESPACE if word != "--mount-proc"]
    done = subprocess.run([*without, *words], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "unshare(1) has --mount-proc" in done.stderr


def test_on_a_full_disk_services_run_and_the_loss_is_told(tmp_path: Path) -> None:
    """/dev/full is a disk on which there is never any room: full(4)."""
    with managed(
        {"web": "/bin/sh -c 'seq 5000; exec sleep 1000'"}, options=("--journal", "/dev/full")
    ) as manager:
        assert manager.start("web") == 0
        until(lambda: "sleep 1000" in commands(manager))
        assert manager.stop("web") == 0
        assert manager.leave() == 0


def test_a_manager_that_is_killed_leaves_a_whole_journal(tmp_path: Path) -> None:
    """Of a service that writes as fast as it can: all that it wrote from the first line on, and no half of one."""
    journal = tmp_path / "journal"
    options = ("--journal", str(journal), "--quiet")
    with managed({"web": "/usr/bin/seq 1000000000"}, options=options) as manager:
        assert manager.start("web") == 0
        until(lambda: journal.stat().st_size > 1_000_000)
        manager.process.kill()
        manager.process.wait(60)
        *kept, last = [found for found, _ in read(journal)]
        assert None not in kept
        records = [record for record in (*kept, last) if record and record.pid]
        assert [record.text for record in records] == [str(n + 1) for n in range(len(records))]
        assert len(records) > 5000


PLAY = """
{python} -m forklab.command.main services --runtime {run} --journal {journal} --quiet {units} crash deaf &
sleep 60; kill -TERM $!; wait $!
"""


def test_a_play_of_150_seconds_takes_a_moment_of_virtual_time(tmp_path: Path) -> None:
    keeper_program()
    units, journal = tmp_path / "units", tmp_path / "journal"
    units.mkdir()
    deaf = "/bin/sh -c 'trap \"\" TERM; while :; do sleep 1000; done'"
    write(
        units,
        {
            "crash": "[Service]\nRestart=always\nRestartSec=0\nExecStart=/bin/sh -c 'sleep 8; exit 1'",
            "deaf": f"[Service]\nTimeoutStopSec=90\nExecStart={deaf}",
        },
    )
    words = [sys.executable, "-m", "forklab.command.main", "run", "--", "sh", "-c"]
    play = PLAY.format(python=sys.executable, run=tmp_path / "run", journal=journal, units=units)
    done = subprocess.run([*words, play], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    words = [sys.executable, "-m", "forklab.command.main", "ctl", "journal", "--file", str(journal)]
    told = subprocess.run([*words, "-o", "json"], capture_output=True, text=True, check=True)
    records = [json.loads(line) for line in told.stdout.splitlines()]
    at = [int(record["__REALTIME_TIMESTAMP"]) / 1e6 for record in records]
    starts = [
        t for t, r in zip(at, records, strict=True) if r["MESSAGE"] == "Started crash.service."
    ]
    assert [round(later - starts[0]) for later in starts] == [8 * number for number in range(8)]
    killed = next(t for t, r in zip(at, records, strict=True) if "Killing" in r["MESSAGE"])
    assert round(killed - starts[0]) == 150
    assert done.stderr.count("killed by SIGKILL") == 2


@pytest.mark.slow
def test_a_tmpfs_that_is_full_loses_lines_and_nothing_else(
    namespaces: None, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = f"mount -t tmpfs -o size=64k none {disk} && exec"
    before = (*NAMESPACE[:-1], "--mount", "--mount-proc", "sh", "-c", f'{mount} "$0" "$@"')
    text = "/bin/sh -c 'seq 5000; exec sleep 1000'"
    with managed(
        {"web": text}, options=("--journal", str(disk / "journal")), before=before
    ) as manager:
        assert manager.start("web") == 0
        until(lambda: "sleep 1000" in commands(manager))
        (pid,) = children(manager.process.pid)
        journal = Path(f"/proc/{pid}/root{disk}/journal")
        copy = tmp_path / "copy"
        shutil.copy(journal, copy)
        whole = [
            line for line in copy.read_bytes().splitlines() if re.match(rb"[0-9a-f]{8} {", line)
        ]
        assert 100 < len(whole) < 5000
        os.truncate(journal, 0)
        assert manager.stop("web") == 0
        assert re.search(r"\d+ records could not be written: No space left", journal.read_text())
        manager.ask("exit")  # unshare(1) hands no signal on
        assert manager.process.wait(60) == 0


@pytest.mark.slow
def test_a_thousand_units_come_up_and_go() -> None:
    units = {f"u{n}": "/bin/sleep 1000" for n in range(1000)}
    names = " ".join(f"u{n}.service" for n in range(1000))
    with managed(
        {**units, "default.target": f"[Unit]\nWants={names}"}, options=("--quiet",)
    ) as manager:
        until(lambda: manager.stands("default.target").startswith("active"), patience=600)
        # It is active as soon as it is decided that all start; so many are begun in one go.
        until(lambda: len(manager.everybody()) == 2000, patience=600)
        assert manager.leave(600) == 0
