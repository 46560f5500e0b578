"""A ward: a service that has processes. What is told to its keeper, and heard from that and from the service itself.

Orders and reports cross on their way: a process may have announced something, or have ended, before we have read that
it was started. So what is heard is put into the order in which it came about, before the manager is told of it.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol

from forklab.services import commands, life
from forklab.services import streams as streams_of
from forklab.services.blame import STEPS, blamed
from forklab.services.commands import StepError
from forklab.services.environment import entry_of
from forklab.services.journal import ERROR, INFORMATION, WARNING
from forklab.services.keepers import Keeper
from forklab.services.loop import Loop, Rank
from forklab.services.manager import Event, Happened, Manager
from forklab.services.unit import Service

_PID_FILE_SECONDS: Final = 0.05  # between two looks for a pid file
_LONGEST_ANNOUNCEMENT: Final = 1 << 16
_MOST_ANNOUNCEMENTS: Final = 1000  # that are heard in one go


class House(Protocol):
    """What a ward needs of the hands."""

    manager: Manager
    loop: Loop
    mains: dict[str, int]

    def happens(self, event: Event) -> None: ...
    def run(self, name: str, run: life.Run) -> None: ...
    def hear(self, name: str, stream: socket.socket) -> None: ...
    def say(self, name: str, text: str, priority: int = INFORMATION) -> None: ...
    def note(self, name: str, what: str, /, **facts: Any) -> None: ...


class Ward:
    """`keeper` is its keeper, and knows the pids; `when_told` is for who wants to know them, too."""

    def __init__(self, name: str, house: House, program: Path, ear: Path) -> None:
        """Starts the keeper. `ear` is a path that nobody else has, for what the service announces. Raises OSError."""
        self.name = name
        self._house = house
        self._ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._address, self._speakers = _address(house.manager.graph.units[name].service, ear)
        self._ordered: deque[tuple[life.Run, list[str]]] = deque()  # not reported yet
        self._last: dict[str, life.Run] = {}  # that was started, by its role
        self._answers: list[Callable[[], None]] = []  # that wait for those
        self._held: life.Run | None = None  # a control command that waits for main's pid
        self._adopting = 0  # orders to adopt a main process that are not answered yet
        self._main_end: int | None = None  # of the one before, that came meanwhile
        try:
            _remove(self._address)  # a manager that was killed has left it
            hidden = self._address.startswith("@")
            self._ear.bind(f"\0{self._address[1:]}" if hidden else self._address)
            self._ear.setblocking(False)
            streams_of.accept_credentials(self._ear)
            self.keeper = Keeper.start(program)
        except OSError:
            self._ear.close()
            _remove(self._address)
            raise
        house.note(name, "Keeper", pid=self.keeper.pid)
        house.loop.listen(self._ear, Rank.ANNOUNCEMENT, self._announced)
        house.loop.listen(self.keeper.channel, Rank.REPORT, self.report)

    def let_go(self) -> None:
        """Its keeper ends as soon as nobody is left below it."""
        for each in (self._ear, self.keeper.channel):
            self._house.loop.forget(each)
            each.close()
        self._house.loop.set_alarm("pid file", self.name, float("inf"), lambda: None)
        _remove(self._address)
        self._answer()

    def when_told(self, act: Callable[[], None]) -> None:
        """`act` is called as soon as the pids of all that was ordered are known."""
        self._answers.append(act)
        if not self._ordered:
            self._answer()

    def _answer(self) -> None:
        answers, self._answers = self._answers, []
        for act in answers:
            act()

    # What is ordered

    @property
    def _service(self) -> Service:
        service = self._house.manager.graph.units[self.name].service
        assert service
        return service

    @property
    def _life(self) -> life.Life:
        return self._house.manager.life(self.name)

    def run(self, run: life.Run) -> None:
        """Raises OSError, KeyError and ValueError: there will be no process, not even one that fails."""
        self._house.loop.set_alarm("pid file", self.name, float("inf"), lambda: None)
        if run.role == "control" and any(each.role == "main" for each, _ in self._ordered):
            self._held = run  # it may speak of $MAINPID
            return
        service, main = self._service, self.keeper.pids.get("main", 0)
        arguments = list(run.command.arguments)
        streams: list[int] = []
        try:
            user, identity = commands.identity(service, run)
            arguments, variables = commands.arguments_and_variables(
                service, self._life, run, main, self._address
            )
            streams = self._streams(service)
            place = commands.directory(service, user)
            words = (*identity, commands.program(run), str(len(arguments)), *arguments)
            self.keeper.tell("run", run.role, place, *words, *variables, streams=streams)
        except StepError as error:
            self.keeper.tell("fail", run.role, str(error.status), str(error.errno))
        finally:
            streams_of.close(streams)
        self._ordered.append((run, arguments))

    def _streams(self, service: Service) -> list[int]:
        try:
            return streams_of.streams(service, lambda ours: self._house.hear(self.name, ours))
        except OSError as error:
            raise StepError.stdout(error) from error

    def kill(self, number: int, whom: str) -> None:
        """A signal to "everybody" of the service, to its "named" processes, or to "main" or "control" alone."""
        self._tell("kill", str(int(number)), whom)

    def _tell(self, *order: str) -> None:
        try:
            self.keeper.tell(*order)
        except OSError as error:  # that it is dead will be told by its end
            words = f"The keeper cannot be told to {order[0]}: {words_of(error)}"
            self._house.say(self.name, words, ERROR)

    # What is reported

    def _happened(self, event: life.Event) -> None:
        self._house.happens(Happened(self.name, event))

    def report(self) -> bool:
        """Hears one report. Whether there was one."""
        words = self.keeper.report()
        pids = self.keeper.pids
        match words:
            case ["started", role, pid]:
                run, arguments = self._ordered.popleft()
                pids[role] = int(pid)
                if role == "main":
                    self._house.mains[self.name] = int(pid)
                self._last[role] = run
                fact = {"role": role, "pid": int(pid), "key": run.key, "arguments": arguments}
                self._house.note(self.name, "Started", **fact)
                if self._held:
                    held, self._held = self._held, None
                    self._house.run(self.name, held)
            case ["executed", "main"]:
                self._happened(life.Executed())
            case ["refused", role, "0", number]:
                self._ordered.popleft()
                self._house.say(self.name, f"Failed to fork: {os.strerror(int(number))}", ERROR)
                if self._held:
                    self._held = None
                    self._happened(life.NotStarted("control"))
                self._happened(life.NotStarted(role))
            case ["refused", role, status, number]:
                self._refused(role, int(status), int(number))
            case ["ended", role, status]:
                self._ended(role, int(status))
            case ["children", *children]:
                self._guess_main(children)
            case ["adopted", pid]:
                self._adopted(int(pid))
            case ["stranger", pid]:
                self._not_adopted(int(pid))
            case ["empty", runs] if int(runs) == self.keeper.runs:
                self._happened(life.Emptied())
            case None:
                self._house.loop.forget(self.keeper.channel)  # its end is told by SIGCHLD
        if not self._ordered:
            self._answer()
        return bool(words)

    def _refused(self, role: str, status: int, number: int) -> None:
        """A process could not become what its unit says."""
        why = f"Failed at step {STEPS[status]}: {os.strerror(number)}"
        self._house.say(self.name, why, ERROR)
        unit, run = self._house.manager.graph.units[self.name], self._last.get(role)
        if run and (words := blamed(unit, run.key, run.command.path, status, number)):
            self._house.say(self.name, words, ERROR)
        self._house.note(self.name, "Refused", role=role)

    def _ended(self, role: str, status: int) -> None:
        for _ in range(_MOST_ANNOUNCEMENTS):  # they were made before its end
            if not self._announced():
                break
        pid = self.keeper.pids.pop(role, 0)
        self._house.note(self.name, "Reaped", pid=pid, status=status)
        if role == "main" and (self._has_moved(pid) or self._adopting):
            self._main_end = status
        else:
            self._happened(life.Ended(role, status))

    # Main processes of daemons

    def find_main(self) -> None:
        """By its pid file; without one, by looking who was left to the keeper."""
        if not self._is_looked_for():
            return
        if not self._service.pid_file:
            self._tell("children")
        elif written := _pid_written(self._service):
            self._adopt(written)
        else:
            self._look_again()

    def _has_moved(self, pid: int) -> bool:
        """Whether a daemon that has just ended goes on as another process: it has changed its pid file before."""
        service = self._house.manager.graph.units[self.name].service
        written = _pid_written(service) if service else ""
        moved = written != "" and int(written) != pid
        if moved:
            self._adopt(written)
        return moved

    def _look_again(self) -> None:
        at = time.monotonic() + _PID_FILE_SECONDS
        self._house.loop.set_alarm("pid file", self.name, at, self.find_main)
        self._happened(life.MainFound(False))

    def _guess_main(self, pids: list[str]) -> None:
        """Who was left to the keeper, if it is one alone."""
        if len(pids) == 1:
            self._adopt(pids[0])
        else:
            self._happened(life.MainFound(False))

    def _adopt(self, pid: str) -> None:
        self._adopting += 1
        self._tell("adopt", pid)

    def _adopted(self, pid: int) -> None:
        self._adopting -= 1
        self._main_end = None
        self.keeper.pids["main"] = self._house.mains[self.name] = pid
        self._house.note(self.name, "Main", pid=pid)
        if self._is_looked_for():
            self._happened(life.MainFound(True))

    def _not_adopted(self, pid: int) -> None:
        self._adopting -= 1
        words = f"PID {pid} does not belong to the service, and is not its main process."
        self._house.say(self.name, words, WARNING)
        if self._is_looked_for():
            self._look_again()
        elif self._main_end is not None:
            status, self._main_end = self._main_end, None
            self._happened(life.Ended("main", status))

    def _is_looked_for(self) -> bool:
        return main_is_looked_for(self._house.manager, self.name)

    # What is announced

    def _announced(self) -> bool:
        """Hears one announcement. Whether there was one."""
        try:
            text, pid, uid = streams_of.receive(self._ear, _LONGEST_ANNOUNCEMENT)
        except BlockingIOError:
            return False
        if uid in self._speakers:
            self._announce(text, pid)
        return True

    def _announce(self, text: bytes, pid: int) -> None:
        while self._ordered and self.report():
            pass  # who is quick announces itself before we have heard its pid
        service = self._house.manager.graph.units[self.name].service
        if service and self._is_listened_to(pid, service.notify_access):
            lines = reversed(text.decode(errors="replace").splitlines())  # the first one counts
            said = dict(line.split("=", 1) for line in lines if "=" in line)
            if (main := said.get("MAINPID", "")).isdecimal():
                self._adopt(main)
            self._happened(life.Notified(said))

    def _is_listened_to(self, pid: int, access: str) -> bool:
        words = ""
        if access == "exec" and pid not in self.keeper.pids.values():
            words = "which is no command of the unit."
        elif access == "main" and pid != self.keeper.pids.get("main"):
            words = "but only main is listened to."
        if words:
            self._house.say(self.name, f"Got notification message from PID {pid}, {words}", WARNING)
        return access != "none" and not words


def main_is_looked_for(manager: Manager, name: str) -> bool:
    """Whether a daemon has put itself into the background, and nobody knows yet who of it is the main process."""
    service = manager.graph.units[name].service
    forking = service is not None and service.type == "forking"
    return forking and manager.life(name).state in ("start", "start-post")


def _pid_written(service: Service) -> str:
    """What the pid file of a service says, if its first line is a number and nothing else."""
    try:
        lines = Path("/run", service.pid_file).read_text().splitlines()
    except (OSError, ValueError):
        return ""
    written = lines[0].lstrip() if lines else ""
    return written if written.isdecimal() else ""


def _address(service: Service | None, path: Path) -> tuple[str, set[int]]:
    """Of its socket, as NOTIFY_SOCKET has it: a path, or @ and a name that is none; and users who are listened to."""
    speakers = {0, os.getuid()}
    if not service or not service.user:
        return str(path), speakers
    with contextlib.suppress(KeyError):
        speakers.add(entry_of(service.user).pw_uid)
    # It may not enter a folder that is ours; a name without a path is for everybody (unix(7)).
    return f"@{path}", speakers


def _remove(address: str) -> None:
    """What is left of a socket that had a path."""
    if not address.startswith("@"):
        Path(address).unlink(missing_ok=True)


def words_of(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error.args[0]) if error.args else str(error)
