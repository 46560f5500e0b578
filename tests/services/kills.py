"""Kills daemons, their workers, their keepers, clients and the manager by chance, and asks each time if all is right.

    python kills.py SECONDS SEED        in a place of its own: see alone.py

After each blow every unit has to arrive where its unit file says: back again if Restart= says so, else down with the
right result. Nobody is left of those who are down; those who are up answer; the manager does, and has no more
descriptors open than before. The journal is whole, and in the end no line is lost. Says what it did; status 1 with the
first thing that was wrong.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from alone import VENDOR
from daemons import DNSMASQ, NGINX, REDIS, address, page, redis
from managed import Managed, managed, until

from forklab.ctl.asking import NoManagerError
from forklab.services.journal import read
from forklab.services.processes import below, children

CHATTER, FAMILY, STUBBORN, BOUND = (
    f"{name}.service" for name in ("chatter", "family", "stubborn", "bound")
)
UNITS = {
    CHATTER: "[Unit]\nStartLimitIntervalSec=0\n[Service]\nRestart=always\nRestartSec=0\n"
    "ExecStart=/bin/sh -c 'i=0; while :; do i=$$((i+1)); echo $$$$ $$i; sleep .02; done'\n",
    FAMILY: "[Unit]\nStartLimitIntervalSec=0\n[Service]\nRestart=on-failure\nRestartSec=50ms\n"
    'ExecReload=/bin/true\nExecStart=/bin/sh -c \'for i in 1 2; do setsid sh -c "while :; do sleep 1; done" &'
    " sleep 1000 & done; wait; sleep 1000'\n",
    STUBBORN: "[Unit]\nStartLimitIntervalSec=0\n[Service]\nRestart=on-abnormal\nTimeoutStopSec=300ms\n"
    "ExecStart=/bin/sh -c 'trap \"\" TERM; while :; do sleep .5; done'\n",
    BOUND: f"[Unit]\nBindsTo={FAMILY}\nAfter={FAMILY}\n[Service]\nExecStart=/bin/sleep 1000\n",
}
NAMES = (NGINX, REDIS, DNSMASQ, *UNITS)
RESTARTS = {REDIS: "always", CHATTER: "always", FAMILY: "on-failure", STUBBORN: "on-abnormal"}
DEADLY = (signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT, signal.SIGRTMIN + 3)
GOOD = "active/running/success"


class WrongError(Exception):
    """What should not be so."""


class Player:
    """Blow after blow on one manager after another, in the same folder."""

    def __init__(self, manager: Managed, chance: random.Random) -> None:
        self.manager = manager
        self.chance = chance
        self.done: Counter[str] = Counter()
        self.place = 0  # in the journal: what is before it was whole
        self.descriptors = 0

    # Where everybody stands

    def units(self) -> dict[str, dict]:
        return {each["name"]: each for each in self.manager.ask("states", *NAMES).units}

    def settled(self) -> dict[str, dict]:
        """Once nobody is on the way any more."""
        found: dict[str, dict] = {}

        def is_settled() -> bool:
            nonlocal found
            found = self.units()
            rests = ("active", "inactive", "failed")
            there = [each for each in found.values() if each["active"] == "active"]
            at_rest = all(each["active"] in rests and not each["job"] for each in found.values())
            return at_rest and all("main" in each["pids"] for each in there)

        until(is_settled, "all are at rest")
        return found

    def check(self) -> None:
        """What has to be so at any rest."""
        self.settled()
        for name in NAMES:
            until(lambda name=name: self.is_as_it_says(name), f"{name} is as it says")
        until(self.has_no_others, "the manager has no children but keepers")
        until(lambda: not self.outlives(BOUND, FAMILY), "bound does not outlive family")
        self.read_journal()

    def is_as_it_says(self, name: str) -> bool:
        """Who is active answers; of who is not, nobody is left. News of a blow may still be on the way."""
        unit = self.manager.unit(name)
        if unit["active"] == "active":
            return name not in ANSWERS or ANSWERS[name]()
        return not unit["pids"]

    def outlives(self, name: str, other: str) -> bool:
        units = self.units()
        return bool(units[name]["active"] == "active" and units[other]["active"] != "active")

    def has_no_others(self) -> bool:
        keepers = {each["pids"]["keeper"] for each in self.units().values() if each["pids"]}
        return set(children(self.manager.process.pid)) == keepers

    def read_journal(self) -> None:
        for record, place in read(self.manager.place / "journal", self.place):
            if record is None:
                raise WrongError(f"the journal is not whole before byte {place}")
            if "mistake" in record.text and not record.pid:
                raise WrongError(record.text)
            self.place = place

    def repair(self) -> None:
        """All are up again."""
        self.manager.ask("reset-failed")
        if self.manager.start(*NAMES):
            raise WrongError(f"they do not start again: {self.manager.said()[-3000:]}")
        for name, each in self.settled().items():
            if f"{each['active']}/{each['sub']}/{each['result']}" != GOOD:
                raise WrongError(f"{name} is {each['active']}/{each['sub']}/{each['result']}")
        opened = len(os.listdir(f"/proc/{self.manager.process.pid}/fd"))
        self.descriptors = self.descriptors or opened
        if opened > self.descriptors + 8:
            raise WrongError(
                f"the manager has {opened} descriptors open, and had {self.descriptors}"
            )

    # Blows

    def strike(self) -> None:
        blow = self.chance.choices(list(BLOWS), list(BLOWS.values()))[0]
        self.done[blow.__name__] += 1
        try:
            blow(self)
            self.check()
            if self.chance.random() < 0.7:
                self.repair()
        except (WrongError, AssertionError) as error:
            raise WrongError(f"after {blow.__name__}: {error}") from error

    def somebody(self) -> tuple[str, dict]:
        running = [(n, u) for n, u in self.units().items() if "main" in u["pids"]]
        if not running:
            self.repair()
            return self.somebody()
        return self.chance.choice(running)

    def send(self, pid: int, number: int) -> bool:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return False
        return True

    def arrives(self, name: str, before: dict, clean: bool) -> None:
        """A unit whose main process has ended by itself arrives where Restart= says."""
        policy = RESTARTS.get(name, "no")
        returns = policy == "always" or (policy != "no" and not clean)
        down = (
            ("inactive/dead/success",)
            if clean
            else ("failed/failed/signal", "failed/failed/core-dump")
        )

        def has_arrived() -> bool:
            now = self.manager.unit(name)
            stands = f"{now['active']}/{now['sub']}/{now['result']}"
            if not returns:
                return stands in down
            if stands == "failed/failed/start-limit-hit":
                return name == REDIS
            back = stands == GOOD and now["restarts"] == before["restarts"] + 1
            return back and now["pids"].get("main") not in (None, before["pids"]["main"])

        until(
            has_arrived,
            f"{name} arrives: {before}, {policy}, clean={clean}; {self.manager.stands(name)}",
            30,
        )

    def kill_main(self) -> None:
        name, before = self.somebody()
        number = self.chance.choice(DEADLY)
        if name == BOUND and self.units()[FAMILY]["active"] != "active":
            return
        if self.send(before["pids"]["main"], number):
            self.arrives(name, before, clean=False)

    def end_main(self) -> None:
        name, before = self.somebody()
        if not self.send(before["pids"]["main"], signal.SIGTERM):
            return
        if name == STUBBORN:
            if self.manager.unit(name)["pids"].get("main") != before["pids"]["main"]:
                raise WrongError("stubborn has heard SIGTERM")
        else:
            self.arrives(name, before, clean=True)

    def kill_worker(self) -> None:
        _, before = self.somebody()
        others = [each.pid for each in below(before["pids"]["keeper"])]
        others = [pid for pid in others if pid != before["pids"]["main"]]
        if others:
            self.send(
                self.chance.choice(others), self.chance.choice((signal.SIGKILL, signal.SIGTERM))
            )

    def kill_keeper(self) -> None:
        name, before = self.somebody()
        pids = [each.pid for each in below(before["pids"]["keeper"])]
        if self.send(before["pids"]["keeper"], signal.SIGKILL):
            self.arrives(name, before, clean=False)
            alive = [pid for pid in pids if is_alive(pid, before["pids"]["keeper"])]
            if alive:
                raise WrongError(f"{alive} of {name} outlive its keeper")

    def stop_main(self) -> None:
        """Whoever is stopped by SIGSTOP goes on, or can be restarted."""
        name, before = self.somebody()
        if self.send(before["pids"]["main"], signal.SIGSTOP):
            if self.chance.random() < 0.5:
                self.send(before["pids"]["main"], signal.SIGCONT)
            elif self.manager.ask("restart", name, wait=True).status:
                raise WrongError(f"{name} does not restart")

    def stop_keeper(self) -> None:
        """A keeper that somebody stops goes on; until then it holds up nobody else."""
        name, before = self.somebody()
        if not self.send(before["pids"]["keeper"], signal.SIGSTOP):
            return
        self.manager.ask("restart", name, wait=False)
        other = self.chance.choice([each for each in NAMES if each not in (name, FAMILY, BOUND)])
        if self.manager.ask("restart", other, wait=True).status:
            raise WrongError(f"{other} does not restart while the keeper of {name} is stopped")
        self.send(before["pids"]["keeper"], self.chance.choice((signal.SIGCONT, signal.SIGKILL)))

    def storm(self) -> None:
        """Many at once."""
        for _ in range(self.chance.randint(2, 20)):
            _, before = self.somebody()
            pids = [
                *before["pids"].values(),
                *(each.pid for each in below(before["pids"]["keeper"])),
            ]
            number = self.chance.choice((*DEADLY, signal.SIGTERM, signal.SIGHUP))
            self.send(self.chance.choice(pids), number)

    def ask(self) -> None:
        verb = self.chance.choice(
            ("start", "stop", "restart", "try-restart", "reload", "reload-or-restart")
        )
        names = self.chance.sample(NAMES, self.chance.randint(1, 3))
        self.manager.ask(verb, *names, wait=True)

    def ask_and_go(self) -> None:
        """Clients that are gone before they have their answer; their jobs are done all the same."""
        for _ in range(self.chance.randint(1, 5)):
            verb = self.chance.choice(("start", "stop", "restart"))
            line = f'{{"verb": "{verb}", "names": ["{self.chance.choice(NAMES)}"], "wait": true}}\n'
            with self.client() as channel:
                channel.sendall(line.encode())

    def kill_ctl(self) -> None:
        command = [
            sys.executable,
            "-m",
            "forklab.command.main",
            "ctl",
            "--runtime",
            str(self.manager.place),
        ]
        verb = self.chance.choice((["restart", *NAMES], ["status", *NAMES], ["journal", "-f"]))
        asking = subprocess.Popen(
            [*command, *verb], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(self.chance.random())
        asking.kill()
        asking.wait()

    def babble(self) -> None:
        """Clients that hang, say half of it, or far too much."""
        channels = [self.client() for _ in range(self.chance.randint(1, 80))]
        for channel in channels:
            try:
                channel.sendall(
                    self.chance.choice((b"", b'{"verb": "sto', b"x" * 100_000, b"[]\n"))
                )
            except OSError:
                continue
        for channel in channels:
            channel.close()

    def read_again(self) -> None:
        self.manager.ask("daemon-reload")

    def kill_manager(self) -> None:
        """All that was there ends, and another one begins in the same folder."""
        everybody = self.manager.everybody()
        self.manager.process.kill()
        self.manager.process.communicate()
        self.read_journal()
        self.manager.begin()
        if alive := list(filter(is_alive, everybody)):
            raise WrongError(f"{alive} are still there when another manager begins")
        self.descriptors = 0
        self.repair()

    def client(self) -> socket.socket:
        channel = socket.socket(socket.AF_UNIX)
        channel.connect(str(self.manager.place / "control"))
        channel.settimeout(10)
        return channel


BLOWS: dict[Callable[[Player], None], int] = {
    Player.kill_main: 20,
    Player.end_main: 10,
    Player.kill_worker: 10,
    Player.kill_keeper: 15,
    Player.stop_main: 8,
    Player.stop_keeper: 6,
    Player.storm: 8,
    Player.ask: 10,
    Player.ask_and_go: 5,
    Player.kill_ctl: 3,
    Player.babble: 3,
    Player.read_again: 3,
    Player.kill_manager: 2,
}
ANSWERS = {
    NGINX: lambda: "nginx" in page(80),
    REDIS: lambda: redis(6379, "PING") == "+PONG",
    DNSMASQ: lambda: address(53, "here.test") == "192.0.2.1",
}


def is_alive(pid: int, parent: int = 0) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def where(manager: Managed) -> str:
    """Where a manager is that does not answer: faulthandler(3) of its Python says so."""
    process = manager.process
    about = Path(f"/proc/{process.pid}/status").read_text().splitlines()[2]
    process.send_signal(signal.SIGABRT)
    return f"{about}\n{process.communicate(timeout=30)[1]}"


def lost_lines(manager: Managed) -> list[str]:
    """What is missing between the first and the last line that each run of chatter wrote."""
    last: dict[int, int] = {}
    lost = []
    for record, _ in read(manager.place / "journal"):
        words = record.text.split() if record and record.pid and record.unit == CHATTER else []
        if len(words) == 2 and words[0].isdecimal():  # the shell, too, says something: "Killed"
            pid, number = map(int, words)
            if number != 1 and number != last.get(pid, 0) + 1:
                lost.append(f"{pid}: {last.get(pid, 0)}, then {number}")
            last[pid] = number
    return lost


def main(seconds: float, seed: int) -> int:
    os.environ["PYTHONFAULTHANDLER"] = "1"
    chance = random.Random(seed)
    with open("/etc/hosts", "a") as hosts:
        hosts.write("192.0.2.1 here.test\n")
    with managed(UNITS, options=("--vendor", str(VENDOR), "--quiet")) as manager:
        player = Player(manager, chance)
        until_then = time.monotonic() + seconds
        try:
            player.repair()
            while time.monotonic() < until_then:
                player.strike()
            player.repair()
            if lost := lost_lines(manager):
                raise WrongError(f"lines are lost: {lost[:5]}")
            status = Path(f"/proc/{manager.process.pid}/status").read_text()
            print(next(line for line in status.splitlines() if line.startswith("VmRSS")))
            manager.leave()
            return 0
        except NoManagerError as error:
            print(error, where(manager))
            return 1
        except (WrongError, AssertionError) as error:
            said = [each for each in manager.records() if each.unit != CHATTER]
            for each in [each for each in said if each.event.get("is") != "Timer"][-300:]:
                print(f"{each.time:.3f} {each.unit} {each.text or dict(each.event)}"[:200])
            for name, each in player.units().items():
                print(name, each["active"], each["sub"], each["result"], each["pids"], each["job"])
                for process in each["processes"]:
                    print("    ", process["pid"], process["command"])
            print(error)
            return 1
        finally:
            print(sum(player.done.values()), "blows:", dict(player.done))


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), int(sys.argv[2])))
