"""The simulated world as a manager on which facts are played (`playing.Manager`): a fact in a few milliseconds.

What it cannot do raises `Unplayable`.
"""

from __future__ import annotations

import fnmatch
import re
import shlex
import subprocess
from pathlib import Path

from actors import Actor, Unplayable, number_of
from below import Below
from playing import A_COMMAND, Answer
from world import GOOD, World

from forklab.services.control import JOBS
from forklab.services.folder import Name, full_name
from forklab.services.graph import DOWN, UP, Kind
from forklab.services.installing import Installation, InstallError
from forklab.services.memory import remembered
from forklab.services.unit import Load
from forklab.services.values import signal_number

_ETC, _RUN, _LIB = "etc/systemd/system", "run/systemd/system", "usr/lib/systemd/system"
_MAIN_PID = re.compile(r"\$\(systemctl show (\S+) -p MainPID --value\)")
_NOT_HERE = ("systemctl", "journalctl", "systemd-", "python3", "/proc", "/lab/log", "pgrep")
_BY_OURSELVES = ("systemctl", "pgrep", "pkill", "kill")


class Simulated(Below):
    """Has no processes and no clock but its own."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        for place in (_ETC, _RUN, _LIB, "lab"):
            (folder / place).mkdir(parents=True)
        self.write({"/lab/act": ""})

    def begin(self, files: dict[str, str]) -> None:
        self.write(files)
        self.world = World(self._folder, (_ETC, _RUN, _LIB))
        self._install = Installation(self.world.folders, self._folder / _ETC)

    def sleep(self, seconds: float) -> None:
        self.world.wait(seconds)

    def show(self, unit: str) -> str:
        return self.world.show(full_name(unit))

    def log(self) -> list[str]:
        return [self.there(f"{round(at * 1000)} {line}") for at, line in self.world.log]

    def journal(self) -> list[tuple[str, str]]:
        return [(unit, self.there(text)) for unit, text in self.world.said]

    def end(self, units: list[str], files: dict[str, str]) -> None:
        """All goes with the folder."""

    # systemctl

    def control(self, verb: str, *arguments: str) -> Answer:
        answer = self._obey(verb, *arguments)
        self.world.wait(A_COMMAND)
        return answer

    def _obey(self, verb: str, *arguments: str) -> Answer:
        names = [_full(each) for each in arguments if not each.startswith("-")]
        if not verb.endswith(("able", "mask", "enabled")):
            names = [self.world.folders.canonical(each) for each in names]
        options = {each for each in arguments if each.startswith("-")}
        if verb in (*JOBS, "is-active", "status") and any(Name(each).is_template for each in names):
            return Answer(1, "", "is missing the instance name")
        if "" in arguments or (verb.startswith(("is-", "kill")) and not arguments):
            return Answer(1, "", "no name of a unit")
        if verb in JOBS:
            return self._ask(verb, names, "--no-block" not in options)
        match verb:
            case "daemon-reload":
                self.world.reload()
            case "reset-failed":
                self.world.manager = self.world.manager.forgiven(names)
            case "is-active" | "is-failed":
                known = [*self.world.manager.lives]
                return self._words_of(
                    verb, [each for name in names for each in _matches(name, known)]
                )
            case "show":  # what it tells is for those who play the facts on the real manager
                pass
            case "status":
                return Answer(next(filter(None, map(self._status_of, names)), 0), "", "")
            case "kill":
                return self._kill([*arguments])
            case "enable" | "disable" | "mask" | "unmask" | "is-enabled":
                return self._manage_files(verb, names, options)
            case "log":
                return Answer(1, "", "Unknown command verb log.")
            case _:
                raise Unplayable(f"systemctl {verb}")
        return Answer(0, "", "")

    def _ask(self, verb: str, names: list[str], block: bool) -> Answer:
        numbers, statuses = [], [0]
        known = sorted(remembered(self.world.manager))
        for name in [n for each in names for n in _matches(each, known)]:
            unit, now = self.world.unit(name), self.world.manager.life(name).active
            here = now in (*UP, "activating")
            can_reload = bool(unit.service and "ExecReload" in unit.service.commands)
            down = now in DOWN
            gone = unit.load is Load.NOT_FOUND and verb.startswith("reload")
            unknown = unit.load in (Load.NOT_FOUND, Load.BAD_SETTING, Load.ERROR)
            if gone or (unknown and down and verb == "stop"):
                statuses.append(5)
            elif verb.startswith("try-") and not here:
                continue
            elif verb == "reload" and not can_reload and unit.load is Load.LOADED:
                statuses.append(3)
            else:
                reload = "reload-or" in verb and here and can_reload
                numbers.append(self.world.request(Kind.RELOAD if reload else JOBS[verb], name))
        if block:
            statuses += [_status(each) for each in self.world.wait_for(numbers)]
        else:
            refused = (self.world.answers.get(number, "done") for number in numbers)
            statuses += [_status(each) for each in refused if each in ("refused", "missing")]
        return Answer(max(statuses), "", "")

    def _status_of(self, name: str) -> int:
        active = self.world.manager.life(name).active
        unknown = self.world.unit(name).load is Load.NOT_FOUND and active == "inactive"
        return 0 if active in UP else 4 if unknown else 3

    def _words_of(self, verb: str, names: list[str]) -> Answer:
        states = [self.world.manager.life(name).active for name in names]
        wanted = UP if verb == "is-active" else ("failed",)
        status = 0 if any(each in wanted for each in states) else 3 if verb == "is-active" else 1
        return Answer(status, "\n".join(states), "")

    def _kill(self, arguments: list[str]) -> Answer:
        word, roles = "TERM", ("main", "control", "")
        while arguments[0].startswith("-"):
            option = arguments.pop(0)
            if option == "-s":
                word = arguments.pop(0)
            elif option.startswith(("-s", "--signal=")):
                word = option.removeprefix("--signal=").removeprefix("-s")
            elif option.startswith("--kill-whom="):
                roles = (option.partition("=")[2],)
        try:
            number = signal_number(word)
        except ValueError:
            return Answer(1, "", f"Failed to parse signal string {word}.")
        status = 0
        for name in map(full_name, arguments):
            actors = [a for a in self.world.actors if a.unit == name]
            chosen = [a for a in actors if a.role in roles]
            here = self.world.manager.life(name).active != "inactive"
            needless = len(roles) > 1 and here and not name.endswith(".target")
            status = status if chosen or needless else 1
            self.world.signal(number, chosen)
        return Answer(status, "", "")

    def _manage_files(self, verb: str, names: list[str], options: set[str]) -> Answer:
        place = _RUN if "--runtime" in options else _ETC
        install = Installation(self.world.folders, self._folder / place)
        words = []
        for name in names:
            try:
                words.append(str(getattr(install, verb.replace("is-enabled", "state"))(name)))
            except InstallError as error:
                return Answer(1, "", str(error))
        if verb == "is-enabled":
            good = ("enabled", "static", "indirect", "alias", "generated", "enabled-runtime")
            return Answer(0 if any(each in good for each in words) else 1, "\n".join(words), "")
        self.world.reload()
        if "--now" in options:
            self._ask("start" if verb == "enable" else "stop", names, block=True)
        return Answer(0, "", "")

    # The shell

    def shell(self, command: str) -> Answer:
        if "& " in command.replace("&& ", ""):
            raise Unplayable("the shell's &")
        parts = [part.strip() for part in command.split(";")]
        if not any(part.startswith(_BY_OURSELVES) for part in parts):
            return self._sh(command)
        answer = Answer(0, "", "")
        for part in parts:
            answer = self._part(part)
        return answer

    def _part(self, command: str) -> Answer:
        words = shlex.split(_MAIN_PID.sub(lambda found: self._main_pid(found[1]), command))
        match words:
            case ["systemctl", "show", unit, "-p", "MainPID", "--value", ">", path]:
                Path(self.here(path)).write_text(f"{self._main_pid(unit)}\n")
                return Answer(0, "", "")
            case ["systemctl", *rest]:
                return self.control(*rest)
            case ["kill", option, pid]:
                found = [a for a in self.world.actors if str(a.pid) == pid]
                self.world.signal(number_of(option[1:]), found)
            case ["pgrep", "-c", "-f", pattern]:
                # The shell that runs pgrep has the pattern in its own command line.
                count = len(self._matching(pattern)) + (not pattern.startswith("^"))
                return Answer(0 if count else 1, str(count), "")
            case ["pkill", option, "-f", pattern]:
                found = self._matching(pattern)
                self.world.signal(number_of(option[1:]), found)
                return Answer(0 if found else 1, "", "")
            case _:
                return self._sh(command)
        return Answer(0, "", "")

    def _matching(self, pattern: str) -> list[Actor]:
        self.world.wait(0.01)
        here = re.compile(self.here(pattern))
        return [actor for actor in self.world.actors if here.search(actor.command)]

    def _main_pid(self, unit: str) -> str:
        return str(self.world.main_pid(full_name(unit)))

    def _sh(self, command: str) -> Answer:
        command = _MAIN_PID.sub(lambda found: self._main_pid(found[1]), command)
        if any(each in command for each in _NOT_HERE):
            raise Unplayable(f"sh {command}")
        done = subprocess.run(
            ["sh", "-c", self.here(command)], capture_output=True, text=True, check=False
        )
        return Answer(done.returncode, self.there(done.stdout), self.there(done.stderr))


def _full(name: str) -> str:
    return name if set("*?[") & set(name) else full_name(name)


def _matches(pattern: str, names: list[str]) -> list[str]:
    return fnmatch.filter(names, pattern) if set("*?[") & set(pattern) else [pattern]


def _status(result: str) -> int:
    return 0 if result in GOOD else 5 if result == "missing" else 1
