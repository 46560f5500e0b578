"""The hands of the manager: they do what it decides, and tell it what happens.

The manager itself stays pure; here are the clock, the processes, and all that can go wrong with them. Each service that
has processes is a ward of ours (`wards`). Everything that happens, and everything that is done about it, goes into the
journal.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Set
from dataclasses import dataclass, is_dataclass
from math import isfinite
from pathlib import Path
from typing import Any, Final

from forklab.services import life
from forklab.services.conditions import unmet
from forklab.services.journal import DEBUG, ERROR, INFORMATION, WARNING, Journal, Record
from forklab.services.loop import Loop, Rank
from forklab.services.manager import (
    Check,
    Checked,
    Deed,
    Event,
    Finished,
    GoOn,
    Happened,
    Leave,
    Manager,
    Request,
    Reread,
    State,
    step,
)
from forklab.services.processes import children
from forklab.services.streams import LONGEST_LINE, Lines, receive
from forklab.services.unitfile import Problem, summed_up
from forklab.services.wards import Ward, main_is_looked_for, words_of

_RUNS_IN_ONE_GO: Final = 10
_MOST_ORPHANS: Final = 1 << 16  # that are killed in one go
_KILLED: Final = int(signal.SIGKILL)  # a wait status, too


@dataclass(frozen=True)
class _Moved:
    """All deeds of a step are done, which has moved these units."""

    units: Set[str]


class Hands:
    """Runs services. `finished` hears how requests have ended; `loop` is for others, too.

    `heard` is told of every record that somebody may want to read at once.
    """

    def __init__(self, manager: Manager, journal: Journal, runtime: Path, keeper: Path) -> None:
        """`runtime`: a folder of ours, for sockets; `keeper`: the program."""
        self.manager = manager
        self.loop = Loop(self._failed, journal.flush)
        self.finished: Callable[[Finished], None] = lambda finished: None
        self.heard: Callable[[Record], None] = lambda record: None
        self.mains: dict[str, int] = {}  # the main process of each service, or its last one
        self._journal = journal
        self._runtime = runtime
        self._program = keeper
        self._to_do: deque[Event | Deed | _Moved] = deque()
        self._is_busy = False
        self._changed: dict[str, float] = {}  # when each unit came into its state
        self._wards: dict[str, Ward] = {}
        self._keepers: dict[int, str] = {}  # also those that are on their way out
        # Services whose keeper was killed, with their pids; how processes of those have ended.
        self._bereaved: dict[str, dict[str, int]] = {}
        self._ends: dict[int, int] = {}
        self._ears = 0
        self._complaints: set[Problem] = set()
        self.note("", "Manager", pid=os.getpid())

    # What happens

    def happens(self, event: Event) -> None:
        """One after another: what a deed brings about comes after all deeds of the same step."""
        self._to_do.append(event)
        if not self._is_busy and self._go_on():
            self.loop.keep_at(self._go_on)

    @property
    def is_behind(self) -> bool:
        """Whether something has happened that the manager does not know yet, or is to be done that is not done."""
        return bool(self._to_do)

    def _go_on(self) -> bool:
        """Until all is done, or a few processes are started: who asks a question meanwhile is answered in between."""
        self._is_busy = True
        runs = 0
        try:
            while self._to_do and runs < _RUNS_IN_ONE_GO:
                match self._to_do.popleft():
                    case Deed(unit, effect) as deed:
                        self._note_fact(unit, effect)
                        self._do(deed)
                        runs += isinstance(effect, life.Run)
                    case _Moved(units):
                        for name in filter(self._needs_no_keeper, units & self._wards.keys()):
                            self._dismiss(name)
                    case event:
                        self._take(event)
        except Exception as error:
            self._failed(error)
        finally:
            self._is_busy = False
        return self.is_behind

    def _take(self, event: Event) -> None:
        whom = _whom(event)
        self._note_fact(whom, event)
        self.manager, deeds = step(self.manager, event, time.monotonic())
        moved = _Moved({whom, *(deed.unit for deed in deeds)})
        self._to_do.extendleft([moved, *reversed(deeds)])

    def _needs_no_keeper(self, name: str) -> bool:
        now = self.manager.life(name)
        return now.empty and (now.active in ("inactive", "failed") or now.state == "exited")

    def _do(self, deed: Deed) -> None:
        name = deed.unit
        match deed.effect:
            case life.Run():
                self.run(name, deed.effect)
            case life.Kill(number, everybody):
                self.kill(name, number, "everybody" if everybody else "named")
            case life.KillControl():
                self.kill(name, signal.SIGKILL, "control")
            case life.FindMain() if name in self._wards:
                self._wards[name].find_main()
            case life.RemovePidFile():
                self._remove_pid_file(name)
            case life.Timer(at):
                over = Happened(name, life.TimeOver())
                self.loop.set_alarm("timer", name, at, lambda: self.happens(over))
            case State():
                self._changed[name] = time.time()
            case life.Say(text, priority):
                self.say(name, text, priority)
            case Check():
                failed = unmet(self.manager.graph.units[name].conditions)
                words = str(failed) if failed else ""
                self.happens(Checked(name, words, bool(failed and failed.asserted)))
            case GoOn() as event:
                self._take(event)
            case Finished() as finished if name in self._wards:
                # Who started a service finds its pid then.
                self._wards[name].when_told(lambda: self.finished(finished))
            case Finished() as finished:
                self.finished(finished)

    def run(self, name: str, run: life.Run) -> None:
        try:
            ward = self._wards.get(name) or self._hire(name)
            ward.run(run)
        except (OSError, KeyError, ValueError) as error:
            words = f"Failed to run {run.key}= {run.command.path}: {words_of(error)}"
            self.say(name, words, ERROR)
            self.happens(Happened(name, life.NotStarted(run.role)))

    def kill(self, name: str, number: int, whom: str) -> None:
        """A signal to "everybody" of the service, to its "named" processes, or to "main" or "control" alone."""
        if name in self._wards:
            self._wards[name].kill(number, whom)
        elif name not in self._bereaved:
            self.happens(Happened(name, life.Emptied()))

    def _remove_pid_file(self, name: str) -> None:
        service = self.manager.graph.units[name].service
        if service:
            with contextlib.suppress(OSError):
                Path("/run", service.pid_file).unlink()

    # What is told of it

    def say(self, name: str, text: str, priority: int = INFORMATION) -> None:
        """The manager itself says this, of the unit."""
        record = Record(time.time(), name, text, 0, priority)
        self._journal.add(record)
        self.heard(record)

    def complain(self, problems: Iterable[Problem], *, anew: bool = False) -> None:
        """Of unit files; what has been said of them is said again once they are `anew`."""
        if anew:
            self._complaints.clear()
        for each in summed_up(problems):
            if each not in self._complaints:
                self._complaints.add(each)
                self.say(each.unit, str(each), INFORMATION if each.harmless else WARNING)

    def note(self, name: str, what: str, /, **facts: Any) -> None:
        """For whoever reads the journal by program."""
        event = {"is": what, **facts}
        self._journal.add(Record(time.time(), name, "", 0, DEBUG, event))

    def _note_fact(self, name: str, fact: object) -> None:
        """What is said is there anyway."""
        if isinstance(fact, Happened):  # which event it was says more than what is in it
            event = {"is": type(fact.event).__name__, **_plain(fact.event)}
            self.note(name, "Happened", event=event)
        elif not isinstance(fact, life.Say | GoOn):
            self.note(name, type(fact).__name__, **_plain(fact))

    def _failed(self, error: Exception) -> None:
        """A mistake of ours: it is told, and everybody else goes on."""
        import traceback  # here: it is not to happen

        where = traceback.extract_tb(error.__traceback__)[-1]
        words = f"{type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno})"
        self.say("", f"The manager made a mistake and goes on: {words}", ERROR)

    def hear(self, name: str, stream: socket.socket) -> None:
        """What comes there is output of the service."""
        lines = Lines()

        def hear() -> None:
            try:
                text, pid, _ = receive(stream, LONGEST_LINE)
            except BlockingIOError:
                return
            now = time.time()
            said = lines.take(text, pid) if text else lines.end()
            self._journal.add(*(Record(now, name, line, pid, level) for pid, level, line in said))
            if not text:
                self.loop.forget(stream)
                stream.close()

        self.loop.listen(stream, Rank.OUTPUT, hear)

    # What others want to know

    def since(self, name: str) -> float:
        """When the unit came into its state, in seconds since the epoch; 0: it has never left the first one."""
        return self._changed.get(name, 0.0)

    def pids(self, name: str) -> dict[str, int]:
        """Of its main and control process, as far as they run; the keeper's, above all of them."""
        ward = self._wards.get(name)
        return {**ward.keeper.pids, "keeper": ward.keeper.pid} if ward else {}

    # Keepers

    def _hire(self, name: str) -> Ward:
        self._ears += 1
        ward = Ward(name, self, self._program, self._runtime / f"notify.{self._ears}")
        self._wards[name] = ward
        self._keepers[ward.keeper.pid] = name
        return ward

    def _dismiss(self, name: str) -> None:
        """Nobody of it is left, or nobody is to be waited for."""
        self._wards.pop(name).let_go()

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
        self.note(name, "Reaped", pid=pid, status=status)
        ward = self._wards.get(name)
        if ward is None or ward.keeper.pid != pid:
            return
        while ward.report():  # what it has still told counts
            pass
        if self._wards.get(name) is not ward:
            return
        words = f"The keeper of this service (PID {pid}) was killed: so is all below it."
        self.say(name, words, ERROR)
        self._bereaved[name] = ward.keeper.pids
        self._dismiss(name)

    def _see_to_orphans(self) -> None:
        """Those that were below a keeper are our children now. They are killed, until none is left."""
        if self._bereaved and not self._kill_orphans():
            bereaved, self._bereaved = self._bereaved, {}
            for name, pids in bereaved.items():
                for role in ("main", "control"):
                    if getattr(self.manager.life(name), role):
                        pid = pids.get(role, 0)
                        status = self._ends.get(pid, _KILLED)
                        self.note(name, "Reaped", pid=pid, status=status)
                        # Also if it has ended well: the service ends by the death of its keeper.
                        self.happens(Happened(name, life.Ended(role, _KILLED)))
                if name not in self._wards:
                    self.happens(Happened(name, life.Emptied()))
                    if main_is_looked_for(self.manager, name):  # nobody is left who could answer
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

    # The end

    def let_go(self, patience: float, *, at_once: bool) -> None:
        """All keepers are let go, which ask who is left to end, and kill who has not ended after a while, or `at_once`.

        Waits so many seconds at most for them.
        """
        self._to_do.clear()
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


def _plain(value: Any) -> Any:
    """As JSON knows it: a record is a mapping of its fields."""
    if is_dataclass(value):
        return {key: _plain(each) for key, each in vars(value).items()}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and not isfinite(value) else value


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


def _whom(event: Event) -> str:
    """The unit that it concerns. What concerns all concerns none by name."""
    match event:
        case Request():
            return event.job.unit
        case Leave() | Reread() | GoOn():
            return ""
        case Happened() | Checked():
            return event.unit
