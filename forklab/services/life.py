"""The life of one service: from a request to processes, and from their ends to a state.

`step(service, life, event, now)` answers the life after an event, and what is to be done about it. Nothing here runs
anything, knows another unit or looks at a clock, so each rule can be tried in microseconds, and a checker can drive it
through all orders of events.

    dead ─▶ start-pre ─▶ start ─▶ start-post ─▶ running ─▶ stop ─▶ stop-sigterm ─▶ stop-post ─▶ final-sigterm ─▶ dead
                                                 ▲ │                    │                         │             failed
                                                 │ ▼                    ▼                         ▼       auto-restart
                                                reload             stop-sigkill              final-sigkill

At most two of its processes have a name: the *main* one, which is the service, and the *control* one, which is the
command that prepares, reloads or stops it just now. Of all others it is only known when the last has gone: `Emptied`.
Rules and words are systemd's (systemd.service(5), systemd.kill(5), and its service.c for what the pages do not say).
"""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import inf
from typing import Final, TypeAlias

from forklab.kernel.signals import signal_name
from forklab.services.unit import Command, Service
from forklab.services.values import NAMES_OF_STATUSES, Ends

# What the rest of the house sees of each state.
ACTIVE: Final[Mapping[str, str]] = {
    "dead": "inactive",
    "failed": "failed",
    "running": "active",
    "exited": "active",
    "reload": "reloading",
    **dict.fromkeys(("start-pre", "start", "start-post", "auto-restart"), "activating"),
    **dict.fromkeys(("stop", "stop-watchdog", "stop-sigterm", "stop-sigkill"), "deactivating"),
    **dict.fromkeys(("stop-post", "final-sigterm", "final-sigkill"), "deactivating"),
}

# Which commands run in a state, one after another.
_KEYS: Final[Mapping[str, str]] = {
    "start-pre": "ExecStartPre",
    "start": "ExecStart",
    "start-post": "ExecStartPost",
    "reload": "ExecReload",
    "stop": "ExecStop",
    "stop-post": "ExecStopPost",
}

# Types of services that have started when they have been forked.
_AT_ONCE: Final = ("simple", "idle")

# Clean ends of what runs until somebody ends it (systemd.service(5), SuccessExitStatus=); of what ends by itself: 0.
_CLEAN: Final = Ends(
    frozenset({0}), frozenset({signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGPIPE})
)
_DONE: Final = Ends(frozenset({0}))


@dataclass(frozen=True)
class Life:
    """Where a service stands."""

    state: str = "dead"
    result: str = "success"  # the first thing that went wrong, since it was started
    main: bool = False  # whether the main process runs
    known: bool = False  # whether it is, or was, known which one is the main process
    control: bool = False
    empty: bool = True  # nobody is left, as far as we have been told
    alone: bool = True  # so it was before the last command was started
    queue: tuple[Run, ...] = ()  # what comes after the command that runs
    main_may_fail: bool = False  # whether its command has a leading minus
    control_may_fail: bool = False
    main_end: int | None = None  # wait status of the last main process
    restarts: int = 0  # by itself, since somebody last started it
    settled: bool = True  # it was not to come back: the next start counts its restarts anew
    stopped: bool = False  # somebody wants it to end: it is not started again by itself
    reloaded: str = "success"  # how the last reload went
    status: str = ""  # what it says of itself
    deadline: float = inf  # when its timer rings

    @property
    def active(self) -> str:
        return ACTIVE[self.state]


# What can happen to a service


@dataclass(frozen=True)
class Start:
    pass


@dataclass(frozen=True)
class Stop:
    pass


@dataclass(frozen=True)
class Reload:
    pass


@dataclass(frozen=True)
class Refused:
    """It cannot be started (again): `start-limit-hit`, or `resources`."""

    result: str


@dataclass(frozen=True)
class Executed:
    """The main command was found and has taken over its process."""


@dataclass(frozen=True)
class Ended:
    role: str  # main or control
    status: int  # a wait status


@dataclass(frozen=True)
class MainFound:
    """What `FindMain` has found. With a pid file, the file is looked at until it is there."""

    found: bool


@dataclass(frozen=True)
class Emptied:
    """No process of the service is left."""


@dataclass(frozen=True)
class TimeOver:
    pass


@dataclass(frozen=True)
class Notified:
    """What it announces: READY=1, RELOADING=1, STOPPING=1, STATUS=, WATCHDOG=1 ... (sd_notify(3))."""

    assignments: Mapping[str, str]


@dataclass(frozen=True)
class NotStarted:
    """A process could not even be made, or its environment file be read."""

    role: str


Event: TypeAlias = (
    Start
    | Stop
    | Reload
    | Refused
    | Executed
    | Ended
    | MainFound
    | Emptied
    | TimeOver
    | Notified
    | NotStarted
)


# What is to be done


@dataclass(frozen=True)
class Run:
    role: str
    key: str  # ExecStart, ExecStop ...
    command: Command


@dataclass(frozen=True)
class Kill:
    """To the main and the control process, or to everybody of the service."""

    signal: int
    everybody: bool


@dataclass(frozen=True)
class KillControl:
    """The command that reloads has taken too long; the service goes on."""


@dataclass(frozen=True)
class FindMain:
    """Read the pid file, again when it changes; without one guess. Answer `MainFound`."""


@dataclass(frozen=True)
class RemovePidFile:
    """What it has left behind would mislead the next start."""


@dataclass(frozen=True)
class Timer:
    """The one timer of a service: it rings at `at`; `inf` ends it."""

    at: float


@dataclass(frozen=True)
class Say:
    """A line for the journal, in systemd's words."""

    text: str
    priority: int = 6


Effect: TypeAlias = Run | Kill | KillControl | FindMain | RemovePidFile | Timer | Say


def step(service: Service, life: Life, event: Event, now: float) -> tuple[Life, tuple[Effect, ...]]:
    """The life after the event, and what is to be done, in order."""
    walk = _Walk(service, life, now)
    walk.take(event)
    return walk.life, tuple(walk.effects)


def is_forked(service: Service, life: Life) -> bool:
    """Whether it has started as soon as its main process is there."""
    return life.state == "start" and service.type in _AT_ONCE


@dataclass
class _Walk:
    """One step: states are entered, one after another, until one of them waits for something."""

    service: Service
    life: Life
    now: float
    effects: list[Effect] = field(default_factory=list)

    def take(self, event: Event) -> None:
        match event:
            case Start():
                self._start()
            case Stop():
                self._stop()
            case Reload():
                self._enter("reload")
                if not self._runs_commands():
                    self._running()
            case Refused(result):
                self._dead(result, may_restart=False)
            case Executed() if self.life.state == "start" and self._waits_for_its_exec():
                self._start_post()
            case Ended("main", status) if self.life.main:
                self._main_ended(status)
            case Ended("control", status) if self.life.control:
                self._control_ended(status)
            case MainFound(found):
                self._main_found(found)
            case Emptied():
                self._set(empty=True)
                self._emptied()
            case TimeOver():
                self._time_over()
            case Notified(assignments):
                self._notified(assignments)
            case NotStarted(role):
                self._set(**{role: False, "empty": self.life.alone})
                self._not_started()

    # Small words

    def _set(self, **changes: object) -> None:
        self.life = replace(self.life, **changes)  # type: ignore[arg-type]

    def _enter(self, state: str, result: str = "success") -> None:
        """Only the first that went wrong is the result."""
        self._set(state=state, result=result if self.life.result == "success" else self.life.result)

    def _timer(self, seconds: float) -> None:
        self._set(deadline=self.now + seconds)
        self.effects.append(Timer(self.life.deadline))

    def _say(self, text: str, priority: int = 6) -> None:
        self.effects.append(Say(text, priority))

    def _run(self, commands: tuple[Run, ...]) -> None:
        """The first of the commands now; the others wait."""
        first = commands[0]
        stopping = self.life.active == "deactivating"
        self.effects.append(first)
        self._timer(self.service.stop_timeout if stopping else self.service.start_timeout)
        self._set(alone=self.life.empty, empty=False, queue=commands[1:])
        self._set(**{first.role: True, f"{first.role}_may_fail": first.command.may_fail})
        if first.role == "main":
            self._set(known=True, main_end=None)

    def _runs_commands(self, role: str = "control") -> bool:
        """Runs the state's commands, one after another; False if there are none."""
        key = _KEYS[self.life.state]
        commands = tuple(Run(role, key, each) for each in self.service.commands.get(key, ()))
        if commands:
            self._run(commands)
        return bool(commands)

    def _runs_the_next(self, role: str) -> bool:
        """Whatever else happens meanwhile: a service that is being stopped runs all commands that it has begun with."""
        queue = tuple(each for each in self.life.queue if each.role == role)
        if queue:
            self._run(queue)
        return bool(queue)

    # The way up

    def _start(self) -> None:
        old = self.life
        self.life = Life(restarts=0 if old.settled else old.restarts, empty=old.empty)
        self._enter("start-pre")
        if not old.empty and self._spares_those_who_stay():
            self._say(
                "Processes of its last run still exist, and may not be killed (SendSIGKILL=no).", 4
            )
            self._kill("stop-sigterm", "resources")
        elif not self._runs_commands():
            self._start_main()

    def _spares_those_who_stay(self) -> bool:
        """A database, say, of which two must not run at once."""
        every = self.service.kill_mode in ("control-group", "mixed")
        return every and not self.service.send_sigkill

    def _start_main(self) -> None:
        self._enter("start")
        runs = self._runs_commands("control" if self.service.type == "forking" else "main")
        if not runs or (self.service.type in _AT_ONCE and not self._waits_for_its_exec()):
            self._start_post()

    def _waits_for_its_exec(self) -> bool:
        """Also a simple service may not be there at all: its file of variables is read when it is about to start."""
        needs_a_file = not all(each.startswith("-") for each in self.service.environment_files)
        return self.service.type == "exec" or (self.service.type in _AT_ONCE and needs_a_file)

    def _start_post(self) -> None:
        self._enter("start-post")
        if not self._runs_commands():
            self._running()

    def _running(self) -> None:
        """Running, if somebody is there to run."""
        self._enter("running")
        self._timer(self.service.watchdog)
        if self.life.result != "success":
            self._kill("stop-sigterm")
        elif self.life.main or not (self.life.known or self.life.empty):
            pass
        elif self.service.remain_after_exit:
            self._timer(inf)
            self._enter("exited")
        else:
            self._stop_commands()

    # The way down

    def _stop(self) -> None:
        self._set(stopped=True)
        if self.life.state == "auto-restart":
            self._timer(inf)
            self._enter("dead")
        elif self.life.active == "active":
            self._stop_commands()
        elif self.life.active in ("activating", "reloading"):
            self._kill("stop-sigterm")

    def _stop_commands(self, result: str = "success") -> None:
        self._enter("stop", result)
        if not self._runs_commands():
            self._kill("stop-sigterm")

    def _kill(self, state: str, result: str = "success") -> None:
        """Asks them to go, or makes them. Who then is gone says so: `Ended`, `Emptied`, or time is over."""
        self._enter(state, result)
        mode, last = self.service.kill_mode, state.endswith("sigkill")
        everybody = mode == "control-group" or (mode == "mixed" and last)
        named = mode != "none" and (self.life.main or self.life.control)
        if not named and (self.life.empty or not everybody):
            self._nobody_to_kill(state)
            return
        number = signal.SIGABRT if state == "stop-watchdog" else self.service.kill_signal
        self.effects.append(Kill(int(signal.SIGKILL if last else number), everybody))
        if not last and number != signal.SIGKILL:
            # Who is stopped could not act on it (systemd.kill(5)).
            self.effects.append(Kill(int(signal.SIGCONT), everybody))
        self._timer(self.service.stop_timeout)

    def _nobody_to_kill(self, state: str) -> None:
        if not state.endswith("sigkill") and self.service.send_sigkill:
            self._kill("final-sigkill" if state.startswith("final") else "stop-sigkill")
        else:
            self._gone()

    def _gone(self, result: str = "success", may_restart: bool = True) -> None:
        if self.life.state.startswith("final"):
            self._dead(result, may_restart)
            return
        self._enter("stop-post", result)
        if not self._runs_commands():
            self._kill("final-sigterm")

    def _dead(self, result: str = "success", may_restart: bool = True) -> None:
        self._enter("dead", result)
        self._timer(inf)
        if self.service.pid_file:
            self.effects.append(RemovePidFile())
        if self.life.result == "success":
            self._say("Deactivated successfully.")
        else:
            self._say(f"Failed with result '{self.life.result}'.", 4)
            self._enter("failed")
        comes_back = may_restart and not self.life.stopped and self._restarts()
        self._set(main=False, control=False, settled=not comes_back)
        if comes_back:
            self._enter("auto-restart")
            self._timer(self.service.restart_sec)

    def _restarts(self) -> bool:
        """The table of systemd.service(5), Restart=."""
        result, end = self.life.result, self.life.main_end
        if end is not None and end in self.service.prevent:
            return False
        return {
            "no": False,
            "always": True,
            "on-success": result == "success",
            "on-failure": result != "success",
            "on-abnormal": result not in ("success", "exit-code"),
            "on-abort": result in ("signal", "core-dump"),
            "on-watchdog": result == "watchdog",
        }[self.service.restart]

    # What happens meanwhile

    def _main_ended(self, status: int) -> None:
        oneshot = self.service.type == "oneshot"
        how = self._how_it_ended(
            "Main", status, _DONE if oneshot else _CLEAN, self.life.main_may_fail
        )
        self._set(main=False, main_end=status)
        self._enter(self.life.state, how)
        if how == "success" and self._runs_the_next("main"):
            return
        match self.life.state:
            case "start" if (oneshot and how == "success") or self.service.type in _AT_ONCE:
                self._start_post()
            case "start" if oneshot:
                self._kill("stop-sigterm")
            case "start" if self.service.type == "notify":
                # Whoever ends before it is ready has never been; unless somebody else may tell that it is.
                others = self.service.remain_after_exit and self.service.notify_access != "main"
                if how != "success" or not others:
                    self._kill("stop-sigterm", "protocol")
            case "start" | "running":
                self._running()
            case "start-post" | "reload" if not self.life.control:
                self._stop_commands()
            case _:
                self._one_less()

    def _control_ended(self, status: int) -> None:
        forking = self.life.state == "start"
        how = self._how_it_ended(
            "Control", status, _CLEAN if forking else _DONE, self.life.control_may_fail
        )
        self._set(control=False)
        if self.life.state != "reload":
            self._enter(self.life.state, how)
        if how == "success" and self._runs_the_next("control"):
            return
        match self.life.state:
            case "reload":
                self._set(reloaded=how)
                self._running()
            case "start-pre" | "start" | "start-post" if how != "success":
                self._kill("stop-sigterm")
            case "start-pre":
                self._start_main()
            case "start":
                self.effects.append(FindMain())
            case "start-post" if self.service.pid_file and not self.life.main:
                self.effects.append(FindMain())
            case "start-post":
                self._running()
            case "stop":
                self._kill("stop-sigterm")
            case _:
                self._one_less()

    def _one_less(self) -> None:
        """One of the two with a name has ended while the service is being stopped: the other is waited for."""
        if self.life.main or self.life.control:
            return
        match self.life.state:
            case "stop-watchdog" | "stop-sigterm" | "stop-sigkill":
                self._gone()
            case "stop-post":
                self._kill("final-sigterm")
            case "final-sigterm" | "final-sigkill":
                # systemd is content here, and leaves whoever ignores SIGTERM. We wait for all who have to go.
                if self.life.empty or self.service.kill_mode in ("process", "none"):
                    self._gone()
                elif self.service.kill_mode == "mixed" and self.life.state == "final-sigterm":
                    self._nobody_to_kill("final-sigterm")

    def _how_it_ended(self, who: str, status: int, clean: Ends, may_fail: bool) -> str:
        if may_fail or status in clean or status in self.service.success:
            return "success"
        self._say(f"{who} process exited, {_words_of(status)}", 4 if status & 0x7F else 5)
        if status & 0x7F == 0:
            return "exit-code"
        return "core-dump" if status & 0x80 else "signal"

    def _main_found(self, found: bool) -> None:
        if self.life.control or self.life.state not in ("start", "start-post"):
            return
        if found:
            self._set(main=True, known=True)
        if self.life.state == "start-post":
            if found:
                self._running()
        elif found or not self.service.pid_file or "ExecStartPost" in self.service.commands:
            self._start_post()  # which may write the pid file; without one, nobody knows who is main
        elif self.life.empty:
            self._kill("stop-sigterm", "protocol")

    def _emptied(self) -> None:
        if self.life.main or self.life.control:
            return  # its end is told, too, and more of it
        match self.life.state:
            case "start" if self.service.type == "notify" and self.life.known:
                self._kill("stop-sigterm", "protocol")
            case "start" if self.service.pid_file and "ExecStartPost" not in self.service.commands:
                self._kill("stop-sigterm", "protocol")  # its pid file will never come
            case "start-post":
                self._stop_commands("protocol")
            case "running":
                self._running()
            case _:
                self._one_less()

    def _time_over(self) -> None:
        self._set(deadline=inf)
        match state := self.life.state:
            case "auto-restart":
                # The manager stops and starts it, with all who cannot do without it.
                self._set(restarts=self.life.restarts + 1)
                self._say(f"Scheduled restart job, restart counter is at {self.life.restarts}.")
            case "start-pre" | "start" | "start-post":
                self._say(f"{state} operation timed out. Terminating.", 4)
                self._kill("stop-sigterm", "timeout")
            case "running":
                self._say(f"Watchdog timeout (limit {self.service.watchdog:g}s)!", 3)
                self._kill("stop-watchdog", "watchdog")
            case "reload" if not self.life.control:
                # It has announced it by itself, and will say when it is over.
                self._say("Reload operation timed out. Killing reload process.", 4)
                self._timer(self.service.start_timeout)
            case "reload":
                self._say("Reload operation timed out. Killing reload process.", 4)
                self.effects.append(KillControl())
                self._set(reloaded="timeout", control=False, queue=())
                self._running()
            case "stop":
                self._say("Stopping timed out. Terminating.", 4)
                self._kill("stop-sigterm", "timeout")
            case "stop-post":
                self._say("State 'stop-post' timed out. Terminating.", 4)
                self._kill("final-sigterm", "timeout")
            case "stop-watchdog" | "stop-sigterm" | "final-sigterm" if self.service.send_sigkill:
                self._say(f"State '{state}' timed out. Killing.", 4)
                self._kill(f"{state.partition('-')[0]}-sigkill", "timeout")
            case "stop-watchdog" | "stop-sigterm" | "final-sigterm":
                given_up = " Entering failed mode." * state.startswith("final")
                self._say(f"State '{state}' timed out. Skipping SIGKILL.{given_up}", 4)
                self._gone("timeout", may_restart=False)
            case "stop-sigkill" | "final-sigkill":
                self._say("Processes still around after SIGKILL. Ignoring.", 4)
                self._gone("timeout")

    def _not_started(self) -> None:
        match self.life.state:
            case "reload":
                self._set(reloaded="resources")
                self._running()
            case "start-pre":
                self._dead("resources")
            case "start" | "stop" | "running":  # a simple service ran as soon as it was begun with
                self._kill("stop-sigterm", "resources")
            case "start-post":
                self._stop_commands("resources")
            case "stop-post":
                self._kill("final-sigterm", "resources")

    def _notified(self, said: Mapping[str, str]) -> None:
        self._set(status=said.get("STATUS", self.life.status))
        state = self.life.state
        if said.get("READY") == "1" and state == "start" and self.service.type == "notify":
            self._start_post()
        elif said.get("READY") == "1" and state == "reload" and not self.life.control:
            self._running()
        elif said.get("RELOADING") == "1" and state == "running":
            self._enter("reload")
            self._timer(self.service.start_timeout)
        elif said.get("STOPPING") == "1" and state == "running":
            self._enter("stop-sigterm")  # it does by itself what it would be asked to
            self._timer(self.service.stop_timeout)
        elif said.get("WATCHDOG") == "1" and state == "running":
            self._timer(self.service.watchdog)
        more = said.get("EXTEND_TIMEOUT_USEC", "")
        if more.isdigit() and self.now + int(more) / 1e6 > self.life.deadline:
            self._timer(int(more) / 1e6)


def _words_of(status: int) -> str:
    if status & 0x7F == 0:
        return f"code=exited, status={status >> 8}/{NAMES_OF_STATUSES.get(status >> 8, 'n/a')}"
    number = status & 0x7F
    name = signal_name(number).removeprefix("SIG")
    return f"code={'dumped' if status & 0x80 else 'killed'}, status={number}/{name}"
