"""What the service manager costs, beside real systemd 252 with the same units in the same run.

    services_cost.py [ROOT]    a root that `make oracle` has made; else build/oracle/bookworm

systemd takes part if we are root and there is such a root. It does not touch this machine, see tests/services/oracle.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "services"))

from managed import Managed, managed, until, write
from oracle.systemd import HERE as ORACLE
from oracle.systemd import Systemd, booted
from processor_time import GROUPS, Meter, meter, seconds_of_group

from forklab.services.folder import Folders
from forklab.services.graph import Job, Kind
from forklab.services.keepers import keeper_program
from forklab.services.manager import Deed, Event, GoOn, Manager, Request, step

ROOT = Path(__file__).parent.parent / "build" / "oracle" / "bookworm"
ROUNDS = 5
LAYERS = 10
COMMAND = "/bin/sleep 1000"
WRITERS, LINES = 4, 50_000
PLAY = """
{python} -m forklab.command.main services --runtime {folder}/run --quiet {folder} crash deaf &
sleep 60; kill -TERM $!; wait $!
"""
CRASH = "[Service]\nRestart=always\nRestartSec=0\nExecStart=/bin/sh -c 'sleep 8; exit 1'\n"
DEAF = "[Service]\nTimeoutStopSec=90\nExecStart=/bin/sh -c 'trap \"\" TERM; while :; do sleep 1000; done'\n"


def main(root: Path) -> None:
    keeper_program()
    with meter() as seconds:
        beside_systemd(root, seconds)
        of_a_thousand(seconds)
        lines(seconds)
        play(seconds)


def layered(count: int) -> dict[str, str]:
    """So many services in ten layers, each after all of the layer below, and a target that wants them all."""
    size = count // LAYERS
    names = [f"u{number}.service" for number in range(count)]
    units = {}
    for number, name in enumerate(names):
        below = number // size * size
        after = " ".join(names[max(0, below - size) : below])
        # On a quick machine all rounds are over before the limit of starts has forgotten the first.
        unit = f"[Unit]\nAfter={after}\nStartLimitIntervalSec=0\n"
        units[name] = f"{unit}[Service]\nExecStart={COMMAND}\n"
    return units | {"all.target": f"[Unit]\nWants={' '.join(names)}\n"}


# A hundred units


def beside_systemd(root: Path, seconds: Meter) -> None:
    units = layered(100)
    with managed(units, options=("--quiet",)) as ours, real(root, units) as systemd:
        starts: dict[str, list[float]] = {"ours": [], "systemd's": []}
        stops: dict[str, list[float]] = {"ours": [], "systemd's": []}
        processor: dict[str, float] = {"ours": 0.0, "systemd's": 0.0}
        for _ in range(ROUNDS):
            before = seconds()
            starts["ours"].append(taken(lambda: ours.start("all.target")))
            processor["ours"] += seconds() - before
            stops["ours"].append(taken(lambda: ours.stop(*units)))
            if systemd:
                nothing = taken(lambda: systemd.control("start", "-.mount"))
                before = seconds_of(systemd)
                starts["systemd's"].append(
                    taken(lambda: systemd.control("start", "all.target")) - nothing
                )
                processor["systemd's"] += seconds_of(systemd) - before
                stops["systemd's"].append(
                    taken(lambda: systemd.control("stop", "u*.service", "all.target")) - nothing
                )
        start, stop = statistics.median(starts["ours"]), statistics.median(stops["ours"])
        print(f"100 units in ten layers start in {start:.2f} s and stop in {stop:.2f} s")
        if systemd:
            real_start = statistics.median(starts["systemd's"])
            real_stop = statistics.median(stops["systemd's"])
            used, real_used = processor["ours"], processor["systemd's"]
            print(
                f"  systemd: {real_start:.2f} s and {real_stop:.2f} s; ours takes"
                f" {start / real_start:.2f} and {stop / real_stop:.2f} times as long, and to start"
                f" {used / real_used:.2f} times the processor"
            )
        ours.start("all.target")
        memory(ours)


@contextlib.contextmanager
def real(root: Path, units: dict[str, str]) -> Iterator[Systemd | None]:
    if os.getuid() or not (root / ".made").exists():
        print("as root, and with a root of `make oracle`, systemd would take part")
        yield None
        return
    with tempfile.TemporaryDirectory() as name:
        lab, act = Path(name, "lab"), Path(name, "act")
        subprocess.run(["cc", "-std=gnu11", "-static", "-o", act, ORACLE / "act.c"], check=True)
        with booted(root, lab, act) as systemd:
            write(lab, units)
            systemd.shell("cp /lab/u*.service /lab/all.target /etc/systemd/system")
            systemd.control("daemon-reload")
            yield systemd


def seconds_of(systemd: Systemd) -> float:
    """Processor time of all in the control group that boot.sh has made for it: its services and its journal, too."""
    path = Path(f"/proc/{systemd.pid}/cgroup").read_text().partition("0::/")[2].partition("/")[0]
    return next(seconds_of_group(each / path) for each in GROUPS if (each / path).exists())


def taken(act: Callable[[], object]) -> float:
    started = time.monotonic()
    act()
    return time.monotonic() - started


def memory(manager: Managed) -> None:
    """Proportional set sizes; and what they would be if nobody else here ran a Python (proc(5), smaps_rollup)."""
    keepers = [manager.unit(f"u{number}.service")["pids"]["keeper"] for number in range(100)]
    ours, theirs = rollup(manager.process.pid), [rollup(pid) for pid in keepers]
    shared = ours["Pss"] + sum(each["Pss"] for each in theirs)
    private = sum(each["Anonymous"] for each in theirs)
    alone = ours["Rss"] + private + theirs[0]["Rss"] - theirs[0]["Anonymous"]
    print(
        f"the manager and its 100 keepers: {shared / 1000:.1f} MB PSS;"
        f" {alone / 1000:.1f} MB if they shared nothing with others, {ours['Rss'] / 1000:.1f} the manager's"
    )


def rollup(pid: int) -> dict[str, int]:
    """In kB."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return {line.split(":")[0]: int(line.split()[1]) for line in lines if line.endswith(" kB")}


# A thousand units


def of_a_thousand(seconds: Meter) -> None:
    costs = {}
    for count in (100, 1000):
        with managed(layered(count), options=("--quiet",)) as manager:
            before = seconds()
            answers = []
            starting = Thread(target=manager.start, args=("all.target",))
            starting.start()
            while starting.is_alive():
                answers.append(taken(lambda: manager.ask("states", "u0.service")))
                starting.join(0.05)
            costs[count] = (seconds() - before) / count
            stopping = taken(lambda: manager.leave(600))
            print(
                f"{count} units: {1000 * costs[count]:.2f} ms of processor time to start each;"
                f" the slowest of {len(answers)} answers meanwhile {max(answers):.2f} s;"
                f" all stop and it ends in {stopping:.2f} s"
            )
    print(f"  each of a thousand costs {costs[1000] / costs[100]:.2f} times one of a hundred")
    longest, together = steps(1000)
    print(
        f"  the longest step of the core takes {longest / together:.2f} of all that it takes to start them"
    )


def steps(count: int) -> tuple[float, float]:
    """Processor time of the longest step that starts so many units, and of all of them, without any process."""
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), layered(count))
        units, _ = Folders([Path(folder)]).everything()
    manager, seconds = Manager.of(units), []
    event: Event | None = Request(1, Job("all.target", Kind.START))
    while event:
        before = time.process_time()
        manager, deeds = step(manager, event, 0.0)
        seconds.append(time.process_time() - before)
        event = GoOn() if deeds[-1:] == (Deed("", GoOn()),) else None
    return max(seconds), sum(seconds)


# The journal


def lines(seconds: Meter) -> None:
    text = f"/bin/sh -c 'seq {LINES}; exec sleep 1000'"
    units = {f"w{number}": text for number in range(WRITERS)}
    with managed(units, options=("--quiet",)) as manager:
        before, started = seconds(), time.monotonic()
        manager.start(*units)
        until(lambda: all(sleeps(manager, name) for name in units))
        wall, processor = time.monotonic() - started, seconds() - before
        many = WRITERS * LINES
        kept = [record.text for record in manager.records() if record.pid]
        print(
            f"{many:,} lines of {WRITERS} services: {many / wall:,.0f} a second,"
            f" {many / processor:,.0f} a second of processor time; {many - len(kept)} lost"
        )


def sleeps(manager: Managed, name: str) -> bool:
    """It has written all."""
    commands = [each["command"] for each in manager.unit(f"{name}.service")["processes"]]
    return commands == ["sleep 1000"]


# Virtual time


def play(seconds: Meter) -> None:
    with tempfile.TemporaryDirectory() as name:
        write(Path(name), {"crash": CRASH, "deaf": DEAF})
        lens = [sys.executable, "-m", "forklab.command.main", "run", "--"]
        words = ["sh", "-c", PLAY.format(python=sys.executable, folder=name)]
        commands = ([*lens, *words], [*lens, "true"], [sys.executable, "-c", "pass"])
        taken: list[list[float]] = [[] for _ in commands]
        for _ in range(ROUNDS):
            for times, command in zip(taken, commands, strict=True):
                before = seconds()
                subprocess.run(command, capture_output=True, check=True)
                times.append(seconds() - before)
        whole, start, python = map(statistics.median, taken)
        print(
            f"a play of 150 seconds: {whole:.2f} s of processor time, {start:.2f} of it the start of the lens;"
            f" {whole / python:.0f} times `python3 -c pass`"
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT)
