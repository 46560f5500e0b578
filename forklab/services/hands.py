"""The hands of the manager: they do what it decides, and tell it what happens.

The manager itself stays pure; here are the clock, the processes, and all that can go wrong with them. Each service that
has processes has a keeper, and a socket for what it announces (sd_notify(3)). Everything that happens, and everything
that is done about it, goes into the journal.
"""

from __future__ import annotations

import contextlib
import errno
import grp
import os
import signal
import socket
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Set
from dataclasses import dataclass, field, is_dataclass
from functools import partial
from math import isfinite
from pathlib import Path
from typing import Any, Final

from forklab.services import life
from forklab.services import streams as streams_of
from forklab.services.blame import EXEC, GROUP, STDOUT, STEPS, USER, blamed
from forklab.services.conditions import unmet
from forklab.services.environment import entry_of, environment_of, resolve, told
from forklab.services.journal import DEBUG, ERROR, INFORMATION, WARNING, Journal, Record
from forklab.services.keepers import Keeper
from forklab.services.loop import Loop, Rank
from forklab.services.manager import (
    Check,
    Checked,
    Deed,
    Event,
    Finished,
    Happened,
    Leave,
    Manager,
    Request,
    Reread,
    step,
)
from forklab.services.processes import children
from forklab.services.streams import Lines, accept_credentials, receive
from forklab.services.unit import Service
from forklab.services.unitfile import Problem, summed_up
from forklab.services.words import expand

_PID_FILE_SECONDS: Final = 0.05  # between two looks for a pid file
_LONGEST_ANNOUNCEMENT: Final = 1 << 16
_MOST_ANNOUNCEMENTS: Final = 1000  # that are heard in one go
_MOST_ORPHANS: Final = 1 << 16  # that are killed in one go
_KILLED: Final = int(signal.SIGKILL)  # a wait status, too


class _StepError(Exception):
    """A command cannot become what it should: its process ends with a status that says at which step."""

    def __init__(self, status: int, number: int) -> None:
        super().__init__(status)
        self.status = status
        self.errno = number


def _who(service: Service, run: life.Run) -> tuple[str, tuple[str, str, str]]:
    """The user, and all numbers of its identity. They have to be there also for a command that does not become it."""
    try:
        _identity(service.user, "")
    except KeyError:
        raise _StepError(USER, errno.ESRCH) from None
    try:
        identity = _identity(service.user, service.group)
    except KeyError:
        raise _StepError(GROUP, errno.ESRCH) from None
    return ("", ("", "", "")) if run.command.as_root else (service.user, identity)


def _program(run: life.Run) -> str:
    try:
        return resolve(run.command.path)
    except FileNotFoundError:
        raise _StepError(EXEC, errno.ENOENT) from None


@dataclass
class _Ward:
    """A service that has had processes."""

    keeper: Keeper
    ear: socket.socket  # for what it announces
    address: str  # of that, as NOTIFY_SOCKET has it: a path, or @ and a name that is none
    speakers: Set[int]  # users who are listened to
    ordered: deque[life.Run] = field(default_factory=deque)  # runs that are not reported yet
    arguments: deque[list[str]] = field(default_factory=deque)
    last: dict[str, life.Run] = field(default_factory=dict)  # that was started, by its role
    answers: list[Finished] = field(default_factory=list)  # that wait for those
    held: life.Run | None = None  # a control command that waits until main's pid has been reported
    adopting: int = 0  # orders to adopt a main process that are not answered yet
    main_end: int | None = None  # of the one before, that came meanwhile


class Hands:
    """Runs services. `finished` hears how requests have ended; `loop` is for others, too.

    `heard` is told of every record that somebody may want to read at once.
    """

    def __init__(self, manager: Manager, journal: Journal, runtime: Path, keeper: Path) -> None:
        """`runtime`: a folder of ours, for sockets; `keeper`: the program."""
        self.manager = manager
        self.loop = Loop(self._failed)
        self.finished: Callable[[Finished], None] = lambda finished: None
        self.heard: Callable[[Record], None] = lambda record: None
        self._journal = journal
        self._runtime = runtime
        self._program = keeper
        self._events: deque[Event] = deque()
        self._is_busy = False
        self._changed: dict[str, float] = {}  # when each unit came into its state
        self._wards: dict[str, _Ward] = {}
        self._keepers: dict[int, str] = {}  # also those that are on their way out
        self._bereaved: dict[
            str, dict[str, int]
        ] = {}  # services whose keeper was killed, their pids
        self._ends: dict[int, int] = {}  # of the processes of those
        self._ears = 0
        self._complaints: set[Problem] = set()
        self._record("", event={"is": "Manager", "pid": os.getpid()})

    # What happens

    def happens(self, event: Event) -> None:
        """One after another: what a deed brings about comes after all deeds of the same step."""
        self._events.append(event)
        if self._is_busy:
            return
        self._is_busy = True
        try:
            while self._events:
                self._take(self._events.popleft())
        finally:
            self._is_busy = False

    def _take(self, event: Event) -> None:
        before = self.manager.lives
        self.note(_whom(event), event)
        try:
            self.manager, deeds = step(self.manager, event, time.monotonic())
        except Exception as error:
            self._failed(error)
            return
        lives = self.manager.lives
        moved = [name for name, each in lives.items() if before.get(name) is not each]
        for name in moved:
            each = lives[name]
            if name not in before or before[name].state != each.state:
                self._changed[name] = time.time()
                state = {"is": "State", "state": each.state, "active": each.active}
                self._record(name, event=state | {"result": each.result})
        for deed in deeds:
            self.note(deed.unit, deed.effect)
            try:
                self._do(deed)
            except Exception as error:
                self._failed(error)
        for name in moved:
            if name in self._wards and self._needs_no_keeper(name):
                self._dismiss(name)

    def _needs_no_keeper(self, name: str) -> bool:
        now = self.manager.life(name)
        return now.empty and (now.active in ("inactive", "failed") or now.state == "exited")

    def _do(self, deed: Deed) -> None:
        name = deed.unit
        match deed.effect:
            case life.Run():
                self._run(name, deed.effect)
            case life.Kill(number, everybody):
                self.kill(name, number, "everybody" if everybody else "named")
            case life.KillControl():
                self.kill(name, signal.SIGKILL, "control")
            case life.FindMain():
                self._find_main(name)
            case life.RemovePidFile():
                self._remove_pid_file(name)
            case life.Timer(at):
                over = Happened(name, life.TimeOver())
                self.loop.set_alarm("timer", name, at, lambda: self.happens(over))
            case life.Say(text, priority):
                self.say(name, text, priority)
            case Check():
                failed = unmet(self.manager.graph.units[name].conditions)
                words = str(failed) if failed else ""
                self.happens(Checked(name, words, bool(failed and failed.asserted)))
            case Finished():
                self._finish(name, deed.effect)

    def _finish(self, name: str, finished: Finished) -> None:
        """Who started a service finds its pid then: so the answer waits until the keeper has told it."""
        ward = self._wards.get(name)
        if ward and ward.ordered:
            ward.answers.append(finished)
        else:
            self.finished(finished)

    # What is told of it

    def say(self, name: str, text: str, priority: int = INFORMATION) -> None:
        """The manager itself says this, of the unit."""
        self._record(name, text, priority)

    def complain(self, problems: Iterable[Problem], *, anew: bool = False) -> None:
        """Of unit files; what has been said of them is said again once they are `anew`."""
        if anew:
            self._complaints.clear()
        for each in summed_up(problems):
            if each not in self._complaints:
                self._complaints.add(each)
                self.say(each.unit, str(each), INFORMATION if each.harmless else WARNING)

    def note(self, name: str, fact: object) -> None:
        """For whoever reads the journal by program. What is said is there anyway."""
        if not isinstance(fact, life.Say):
            self._record(name, event={"is": type(fact).__name__, **_plain(fact)})

    def _record(
        self, name: str, text: str = "", priority: int = DEBUG, event: dict[str, Any] | None = None
    ) -> None:
        record = Record(time.time(), name, text, 0, priority, event or {})
        self._journal.write(record)
        if text:
            self.heard(record)

    def _failed(self, error: Exception) -> None:
        """A mistake of ours: it is told, and everybody else goes on."""
        where = traceback.extract_tb(error.__traceback__)[-1]
        words = f"{type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno})"
        self.say("", f"The manager made a mistake and goes on: {words}", ERROR)

    # What others want to know

    def since(self, name: str) -> float:
        """When the unit came into its state, in seconds since the epoch; 0: it has never left the first one."""
        return self._changed.get(name, 0.0)

    def pids(self, name: str) -> dict[str, int]:
        """Of its main and control process, as far as they run; the keeper's, above all of them."""
        ward = self._wards.get(name)
        return {**ward.keeper.pids, "keeper": ward.keeper.pid} if ward else {}

    # Commands

    def _run(self, name: str, run: life.Run) -> None:
        service = self.manager.graph.units[name].service
        assert service
        streams: list[int] = []
        self.loop.set_alarm("pid file", name, float("inf"), lambda: None)
        try:
            ward = self._wards.get(name) or self._hire(name)
            if run.role == "control" and any(each.role == "main" for each in ward.ordered):
                ward.held = run  # it may speak of $MAINPID
                return
            arguments = list(run.command.arguments)
            try:
                user, identity = _who(service, run)
                environment = environment_of(service)
                main = ward.keeper.pids.get("main", 0)
                environment |= told(service, self.manager.life(name), run, main, ward.address)
                if not run.command.verbatim:
                    arguments[1:] = expand(arguments[1:], environment)
                variables = [f"{key}={value}" for key, value in environment.items()]
                streams = self._streams(name, service)
                ward.keeper.tell(
                    *("run", run.role, _directory(service, user), *identity, _program(run)),
                    *(str(len(arguments)), *arguments, *variables),
                    streams=streams,
                )
            except _StepError as error:
                ward.keeper.tell("fail", run.role, str(error.status), str(error.errno))
            ward.ordered.append(run)
            ward.arguments.append(arguments)
        except (OSError, KeyError, ValueError) as error:
            self.say(
                name, f"Failed to run {run.key}= {run.command.path}: {_words_of(error)}", ERROR
            )
            self.happens(Happened(name, life.NotStarted(run.role)))
        finally:
            streams_of.close(streams)

    def kill(self, name: str, number: int, whom: str) -> None:
        """A signal to "everybody" of the service, to its "named" processes, or to "main" or "control" alone."""
        if name in self._wards:
            self._tell(name, "kill", str(int(number)), whom)
        elif name not in self._bereaved:
            self.happens(Happened(name, life.Emptied()))

    def _tell(self, name: str, *order: str) -> None:
        try:
            self._wards[name].keeper.tell(*order)
        except OSError as error:  # that it is dead will be told by its end
            self.say(name, f"The keeper cannot be told to {order[0]}: {_words_of(error)}", ERROR)

    def _streams(self, name: str, service: Service) -> list[int]:
        try:
            return streams_of.streams(service, partial(self._hear, name))
        except OSError as error:
            raise _StepError(STDOUT, error.errno or errno.EIO) from error

    def _hear(self, name: str, stream: socket.socket) -> None:
        lines = Lines()

        def hear() -> None:
            try:
                text, pid, _ = receive(stream, streams_of.LONGEST_LINE)
            except BlockingIOError:
                return
            now = time.time()
            said = lines.take(text, pid) if text else lines.end()
            self._journal.write(*(Record(now, name, line, pid, level) for pid, level, line in said))
            if not text:
                self.loop.forget(stream)
                stream.close()

        self.loop.listen(stream, Rank.OUTPUT, hear)

    # Keepers

    def _hire(self, name: str) -> _Ward:
        self._ears += 1
        address = str(self._runtime / f"notify.{self._ears}")
        speakers = {0, os.getuid()}
        service = self.manager.graph.units[name].service
        if service and service.user:
            # It may not enter a folder that is ours; a name without a path is for everybody (unix(7)).
            address = f"@{address}"
            with contextlib.suppress(KeyError):
                speakers.add(entry_of(service.user).pw_uid)
        ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            _remove(address)  # a manager that was killed has left it
            ear.bind(address.replace("@", "\0", 1) if address.startswith("@") else address)
            ear.setblocking(False)
            accept_credentials(ear)
            keeper = Keeper.start(self._program)
        except OSError:
            ear.close()
            _remove(address)
            raise
        ward = self._wards[name] = _Ward(keeper, ear, address, speakers)
        self._keepers[keeper.pid] = name
        self._record(name, event={"is": "Keeper", "pid": keeper.pid})
        self.loop.listen(ear, Rank.ANNOUNCEMENT, lambda: self._announced(name, ward))
        self.loop.listen(keeper.channel, Rank.REPORT, lambda: self._report(name, ward))
        return ward

    def _dismiss(self, name: str) -> None:
        """Its keeper ends as soon as nobody is left below it."""
        ward = self._wards.pop(name)
        self._let_go_of(ward)

    def _let_go_of(self, ward: _Ward) -> None:
        for each in (ward.ear, ward.keeper.channel):
            self.loop.forget(each)
            each.close()
        _remove(ward.address)
        self._answer(ward)

    def _answer(self, ward: _Ward) -> None:
        answers, ward.answers = ward.answers, []
        for each in answers:
            self.finished(each)

    def _report(self, name: str, ward: _Ward) -> bool:
        """Hears one report. Whether there was one."""
        words = ward.keeper.report()
        pids = ward.keeper.pids
        match words:
            case ["started", role, pid]:
                run, arguments = ward.ordered.popleft(), ward.arguments.popleft()
                pids[role] = int(pid)
                ward.last[role] = run
                fact = {"is": "Started", "role": role, "pid": int(pid), "key": run.key}
                self._record(name, event=fact | {"arguments": arguments})
                if ward.held:
                    held, ward.held = ward.held, None
                    self._run(name, held)
            case ["executed", "main"]:
                self.happens(Happened(name, life.Executed()))
            case ["refused", role, "0", number]:
                ward.ordered.popleft(), ward.arguments.popleft()
                self.say(name, f"Failed to fork: {os.strerror(int(number))}", ERROR)
                if ward.held:
                    ward.held = None
                    self.happens(Happened(name, life.NotStarted("control")))
                self.happens(Happened(name, life.NotStarted(role)))
            case ["refused", role, status, number]:
                self._refused(name, ward.last.get(role), int(status), int(number))
                self._record(name, event={"is": "Refused", "role": role})
            case ["ended", role, status]:
                for _ in range(_MOST_ANNOUNCEMENTS):  # they were made before its end
                    if not self._announced(name, ward):
                        break
                gone = pids.pop(role, 0)
                self._record(name, event={"is": "Reaped", "pid": gone, "status": int(status)})
                if role == "main" and (self._has_moved(name, gone) or ward.adopting):
                    ward.main_end = int(status)
                else:
                    self.happens(Happened(name, life.Ended(role, int(status))))
            case ["children", *children]:
                self._guess_main(name, ward, [int(child) for child in children])
            case ["adopted", pid]:
                self._adopted(name, ward, int(pid))
            case ["stranger", pid]:
                self._not_adopted(name, ward, int(pid))
            case ["empty", runs] if int(runs) == ward.keeper.runs:
                self.happens(Happened(name, life.Emptied()))
            case None:
                self.loop.forget(ward.keeper.channel)  # its end is told by SIGCHLD
        if not ward.ordered:
            self._answer(ward)
        return bool(words)

    def _refused(self, name: str, run: life.Run | None, status: int, number: int) -> None:
        """A process could not become what its unit says."""
        self.say(name, f"Failed at step {STEPS[status]}: {os.strerror(number)}", ERROR)
        unit = self.manager.graph.units[name]
        if run and (words := blamed(unit, run.key, run.command.path, status, number)):
            self.say(name, words, ERROR)

    def collect(self) -> None:
        """Takes in who has died: keepers, and orphans of those keepers that somebody has killed."""
        for pid, status in _changed_children():
            if os.WIFSTOPPED(status):
                if pid in self._keepers:  # it has better things to do
                    os.kill(pid, signal.SIGCONT)
            elif pid in self._keepers:
                self._keeper_ended(self._keepers.pop(pid), pid, status)
            else:
                self._ends[pid] = status
        self._see_to_orphans()

    def _keeper_ended(self, name: str, pid: int, status: int) -> None:
        self._record(name, event={"is": "Reaped", "pid": pid, "status": status})
        ward = self._wards.get(name)
        if ward is None or ward.keeper.pid != pid:
            return
        while self._report(name, ward):  # what it has still told counts
            pass
        if self._wards.get(name) is not ward:
            return
        self.say(
            name, f"The keeper of this service (PID {pid}) was killed: so is all below it.", ERROR
        )
        self._bereaved[name] = ward.keeper.pids
        self._wards.pop(name)
        self._let_go_of(ward)

    def _see_to_orphans(self) -> None:
        """Those that were below a keeper are our children now. They are killed, until none is left."""
        if self._bereaved and not self._kill_orphans():
            bereaved, self._bereaved = self._bereaved, {}
            for name, pids in bereaved.items():
                for role in ("main", "control"):
                    if getattr(self.manager.life(name), role):
                        pid = pids.get(role, 0)
                        status = self._ends.get(pid, _KILLED)
                        self._record(name, event={"is": "Reaped", "pid": pid, "status": status})
                        # Also if it has ended well: the service ends by the death of its keeper.
                        self.happens(Happened(name, life.Ended(role, _KILLED)))
                if name not in self._wards:
                    self.happens(Happened(name, life.Emptied()))
                    if self._is_looked_for(name):  # nobody is left who could answer
                        self.happens(Happened(name, life.MainFound(False)))
        if not self._bereaved:
            self._ends.clear()

    def _kill_orphans(self) -> bool:
        """Whether there was anybody."""
        found = [pid for pid in children(os.getpid()) if pid not in self._keepers]
        for pid in found:
            if len(found) < _MOST_ORPHANS:
                found += children(pid)
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        return bool(found)

    # Main processes of daemons, and what they announce

    def _remove_pid_file(self, name: str) -> None:
        service = self.manager.graph.units[name].service
        if service:
            with contextlib.suppress(OSError):
                Path("/run", service.pid_file).unlink()

    def _find_main(self, name: str) -> None:
        """By its pid file; without one, by looking who was left to the keeper."""
        service = self.manager.graph.units[name].service
        if not service or name not in self._wards or not self._is_looked_for(name):
            return
        if not service.pid_file:
            self._tell(name, "children")
        elif written := _pid_written(service):
            self._adopt(name, written)
        else:
            self._look_again(name)

    def _has_moved(self, name: str, pid: int) -> bool:
        """Whether a daemon that has just ended goes on as another process: it has changed its pid file before."""
        service = self.manager.graph.units[name].service
        written = _pid_written(service) if service else ""
        moved = written != "" and int(written) != pid
        if moved:
            self._adopt(name, written)
        return moved

    def _look_again(self, name: str) -> None:
        at = time.monotonic() + _PID_FILE_SECONDS
        self.loop.set_alarm("pid file", name, at, lambda: self._find_main(name))
        self.happens(Happened(name, life.MainFound(False)))

    def _guess_main(self, name: str, ward: _Ward, pids: list[int]) -> None:
        """Who was left to the keeper, if it is one alone."""
        if len(pids) == 1:
            self._adopt(name, str(pids[0]))
        else:
            self.happens(Happened(name, life.MainFound(False)))

    def _adopt(self, name: str, pid: str) -> None:
        self._wards[name].adopting += 1
        self._tell(name, "adopt", pid)

    def _adopted(self, name: str, ward: _Ward, pid: int) -> None:
        ward.adopting -= 1
        ward.main_end = None
        ward.keeper.pids["main"] = pid
        self._record(name, event={"is": "Main", "pid": pid})
        if self._is_looked_for(name):
            self.happens(Happened(name, life.MainFound(True)))

    def _not_adopted(self, name: str, ward: _Ward, pid: int) -> None:
        ward.adopting -= 1
        words = f"PID {pid} does not belong to the service, and is not its main process."
        self.say(name, words, WARNING)
        if self._is_looked_for(name):
            self._look_again(name)
        elif ward.main_end is not None:
            status, ward.main_end = ward.main_end, None
            self.happens(Happened(name, life.Ended("main", status)))

    def _is_looked_for(self, name: str) -> bool:
        service = self.manager.graph.units[name].service
        forking = service is not None and service.type == "forking"
        return forking and self.manager.life(name).state in ("start", "start-post")

    def _announced(self, name: str, ward: _Ward) -> bool:
        """Hears one announcement. Whether there was one."""
        try:
            text, pid, uid = receive(ward.ear, _LONGEST_ANNOUNCEMENT)
        except BlockingIOError:
            return False
        if uid in ward.speakers:
            self._announce(name, ward, text, pid)
        return True

    def _announce(self, name: str, ward: _Ward, text: bytes, pid: int) -> None:
        service = self.manager.graph.units[name].service
        while ward.ordered and self._report(name, ward):
            pass  # who is quick announces itself before we have heard its pid
        if not service or service.notify_access == "none":
            return
        if service.notify_access == "exec" and pid not in ward.keeper.pids.values():
            words = f"Got notification message from PID {pid}, which is no command of the unit."
            self.say(name, words, WARNING)
            return
        if service.notify_access == "main" and pid != ward.keeper.pids.get("main"):
            words = f"Got notification message from PID {pid}, but only main is listened to."
            self.say(name, words, WARNING)
            return
        lines = text.decode(errors="replace").splitlines()
        said = dict(line.split("=", 1) for line in lines if "=" in line)
        if (main := said.get("MAINPID", "")).isdecimal():
            self._adopt(name, main)
        self.happens(Happened(name, life.Notified(said)))

    # The end

    def let_go(self, patience: float, *, at_once: bool) -> None:
        """All keepers are let go, which ask who is left to end, and kill who has not ended after a while, or `at_once`.

        Waits so many seconds at most for them.
        """
        for name in list(self._wards):
            if at_once:
                self.say(name, "Killed, with all its processes: somebody cannot wait.", WARNING)
                self.kill(name, signal.SIGKILL, "everybody")
            self._dismiss(name)
        until = time.monotonic() + patience
        while self._keepers and time.monotonic() < until:
            self.loop.set_alarm("end", "", until, lambda: None)
            self.loop.turn()
        for name in self._keepers.values():
            self.say(name, "Processes of it are still there, and are left behind.", ERROR)
        self.loop.close()


def _remove(address: str) -> None:
    """What is left of a socket that had a path."""
    if not address.startswith("@"):
        Path(address).unlink(missing_ok=True)


def _pid_written(service: Service) -> str:
    """What the pid file of a service says, if its first line is a number and nothing else."""
    try:
        lines = Path("/run", service.pid_file).read_text().splitlines()
    except (OSError, ValueError):
        return ""
    written = lines[0].lstrip() if lines else ""
    return written if written.isdecimal() else ""


def _plain(value: Any) -> Any:
    """As JSON knows it: a record is a mapping of its fields."""
    if is_dataclass(value):
        return {key: _plain(each) for key, each in vars(value).items()}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def _words_of(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error.args[0]) if error.args else str(error)


def _changed_children() -> Iterator[tuple[int, int]]:
    """Reaps all who are dead, and answers them and those who were stopped, each with its wait status."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG | os.WUNTRACED)
        except ChildProcessError:
            return
        if pid == 0:
            return
        yield pid, status


def _identity(user: str, group: str) -> tuple[str, str, str]:
    """Numbers of user, group and further groups; all empty: as we are. Raises KeyError."""
    if not user and not group:
        return "", "", ""
    entry = entry_of(user or str(os.getuid()))
    gid = entry.pw_gid
    if group:
        gid = grp.getgrgid(int(group)).gr_gid if group.isdigit() else grp.getgrnam(group).gr_gid
    if os.getuid() != 0 and (entry.pw_uid, gid) == (os.getuid(), os.getgid()):
        return "", "", ""
    # As systemd has it: who only changes the group, or has that of root, has no further groups.
    groups = os.getgrouplist(entry.pw_name, gid) if user and gid else []
    return str(entry.pw_uid), str(gid), ",".join(map(str, groups))


def _directory(service: Service, user: str) -> str:
    path = service.working_directory or "/"
    if path.lstrip("-") == "~":
        return ("-" if path.startswith("-") else "") + entry_of(user or str(os.getuid())).pw_dir
    return path


def _whom(event: Event) -> str:
    """The unit that it concerns. What concerns all concerns none by name."""
    match event:
        case Request():
            return event.job.unit
        case Leave() | Reread():
            return ""
        case Happened() | Checked():
            return event.unit
