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
Rules and words are systemd's (systemd.service(5), and its service.c for what the page does not say).
"""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import inf
from typing import Final, TypeAlias

from forklab.services.unit import Command, Service
from forklab.services.values import NAMES_OF_STATUSES, Ends

# What the rest of the house sees of each state.
ACTIVE: Final[Mapping[str, str]] = {
    "dead": "inactive",
    "failed": "failed",
    "running": "active",
    "exited": "active",
    "reload": "reloading",
    "auto-restart": "activating",
    **dict.fromkeys(("start-pre", "start", "start-post"), "activating"),
    **dict.fromkeys(
        ("stop", "stop-sigterm", "stop-sigkill", "stop-post", "final-sigterm", "final-sigkill"),
        "deactivating",
    ),
}

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
    control: bool = False
    queue: tuple[Command, ...] = ()  # what comes after the command that runs
    may_fail: bool = False  # whether the main command has a leading minus
    control_may_fail: bool = False
    main_end: int | None = None  # wait status of the last main process
    restarts: int = 0  # by itself, since somebody last started it
    stopped: bool = False  # somebody wants it to end
    returning: bool = False  # it is about to be started again, by itself
    reloaded: str = "success"  # how the last reload went
    status: str = ""  # what it says of itself

    @property
    def active(self) -> str:
        return ACTIVE[self.state]


# What can happen to a service


@dataclass(frozen=True)
class Start:
    pass


@dataclass(frozen=True)
class Stop:
    for_good: bool = True  # else it is the first half of a restart


@dataclass(frozen=True)
class Reload:
    pass


@dataclass(frozen=True)
class Executed:
    """The main command was found and has taken over its process."""


@dataclass(frozen=True)
class Ended:
    role: str  # main or control
    status: int  # a wait status


@dataclass(frozen=True)
class MainFound:
    """A daemon has left its main process behind; `found` is False as long as its pid file is not there."""

    found: bool


@dataclass(frozen=True)
class Emptied:
    """No process of the service is left."""


@dataclass(frozen=True)
class TimeOver:
    pass


@dataclass(frozen=True)
class Notified:
    assignments: Mapping[str, str]


@dataclass(frozen=True)
class NotStarted:
    """A process could not even be made, or its environment file be read."""

    role: str


Event: TypeAlias = (
    Start
    | Stop
    | Reload
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
class FindMain:
    """Read the pid file, or guess; again when it changes."""


@dataclass(frozen=True)
class Timer:
    """The one timer of a service: it rings at `at`; `inf` ends it."""

    at: float


@dataclass(frozen=True)
class Say:
    """A line for the journal, in systemd's words."""

    text: str
    priority: int = 6


Effect: TypeAlias = Run | Kill | FindMain | Timer | Say


def step(service: Service, life: Life, event: Event, now: float) -> tuple[Life, tuple[Effect, ...]]:
    """The life after the event, and what is to be done, in order."""
    walk = _Walk(service, life, now)
    walk.take(event)
    return walk.life, tuple(walk.effects)


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
                self._stop(event.for_good)
            case Reload():
                self._enter("reload")
                self._control("ExecReload", self.service.start_timeout)
            case Executed():
                if self.life.state == "start" and self.service.type == "exec":
                    self._start_post()
            case Ended("main", status):
                self._main_ended(status)
            case Ended(_, status):
                self._control_ended(status)
            case MainFound():
                self._main_found(event.found)
            case Emptied():
                self._emptied()
            case TimeOver():
                self._time_over()
            case Notified():
                self._notified(event.assignments)
            case NotStarted():
                self._set(**{event.role: False})
                self._failed_to_run()

    # Small words

    def _set(self, **changes: object) -> None:
        self.life = replace(self.life, **changes)  # type: ignore[arg-type]

    def _enter(self, state: str) -> None:
        self._set(state=state)

    def _note(self, result: str) -> None:
        """Only the first that went wrong is the result."""
        if self.life.result == "success":
            self._set(result=result)

    def _timer(self, seconds: float) -> None:
        self.effects.append(Timer(self.now + seconds))

    def _say(self, text: str, priority: int = 6) -> None:
        self.effects.append(Say(text, priority))

    def _run(self, role: str, key: str, commands: tuple[Command, ...], seconds: float) -> None:
        """The first of the commands now; the others wait."""
        first, rest = commands[0], commands[1:]
        self.effects.append(Run(role, key, first))
        self._timer(seconds)
        if role == "main":
            self._set(main=True, main_end=None, may_fail=first.may_fail, queue=rest)
        else:
            self._set(control=True, control_may_fail=first.may_fail, queue=rest)

    def _control(self, key: str, seconds: float) -> bool:
        """Runs the commands of a key as control processes, one after another; False if there are none."""
        commands = self.service.commands.get(key, ())
        if commands:
            self._run("control", key, commands, seconds)
        return bool(commands)

    # The way up

    def _start(self) -> None:
        self.life = Life(restarts=self.life.restarts if self.life.returning else 0)
        self._enter("start-pre")
        if not self._control("ExecStartPre", self.service.start_timeout):
            self._start_main()

    def _start_main(self) -> None:
        self._enter("start")
        commands = self.service.commands.get("ExecStart", ())
        if not commands:
            self._start_post()
            return
        forking = self.service.type == "forking"
        self._run(
            "control" if forking else "main", "ExecStart", commands, self.service.start_timeout
        )
        if self.service.type in ("simple", "idle"):
            self._start_post()

    def _start_post(self) -> None:
        self._enter("start-post")
        if not self._control("ExecStartPost", self.service.start_timeout):
            self._running()

    def _running(self, result: str = "success") -> None:
        """Running, if somebody is there to run."""
        self._note(result)
        self._timer(inf)
        if self.life.result != "success":
            self._signal("stop-sigterm")
        elif self.life.main:
            self._enter("running")
        elif self.service.remain_after_exit:
            self._enter("exited")
        else:
            self._stop_commands()

    # The way down

    def _stop(self, for_good: bool) -> None:
        self._set(stopped=True, returning=self.life.returning and not for_good)
        match self.life.active:
            case "active":
                self._stop_commands()
            case "activating" if self.life.state == "auto-restart":
                self._timer(inf)
                self._enter("dead")
            case "activating" | "reloading":
                self._signal("stop-sigterm")

    def _stop_commands(self) -> None:
        self._enter("stop")
        if not self._control("ExecStop", self.service.stop_timeout):
            self._signal("stop-sigterm")

    def _signal(self, state: str, result: str = "success") -> None:
        """Asks them to go, or makes them. Who then is gone says so: `Ended`, `Emptied`, or time is over."""
        self._note(result)
        mode = self.service.kill_mode
        last = state.endswith("sigkill")
        self._enter(state)
        self._set(queue=())
        everybody = mode == "control-group" or (
            mode == "mixed" and (last or state.startswith("final"))
        )
        if mode == "none" or not (everybody or self.life.main or self.life.control):
            self._gone()
            return
        number = int(signal.SIGKILL) if last else self.service.kill_signal
        self.effects.append(Kill(number, everybody))
        if not last and number != signal.SIGKILL:
            # Who is stopped could not act on it (systemd.kill(5)).
            self.effects.append(Kill(signal.SIGCONT, everybody))
        self._timer(self.service.stop_timeout)

    def _gone(self) -> None:
        if self.life.state.startswith("stop"):
            self._stop_post()
        else:
            self._dead()

    def _stop_post(self) -> None:
        self._enter("stop-post")
        if not self._control("ExecStopPost", self.service.stop_timeout):
            self._signal("final-sigterm")

    def _dead(self, may_restart: bool = True) -> None:
        result = self.life.result
        if result == "success":
            self._say("Deactivated successfully.")
        else:
            self._say(f"Failed with result '{result}'.", 4)
        self._enter("dead" if result == "success" else "failed")
        self._timer(inf)
        if may_restart and not self.life.stopped and self._restarts():
            self._enter("auto-restart")
            self._timer(self.service.restart_sec)

    def _restarts(self) -> bool:
        """The table of systemd.service(5), Restart=."""
        result = self.life.result
        if self.life.main_end is not None and self.life.main_end in self.service.prevent:
            return False
        match self.service.restart:
            case "always":
                return True
            case "on-success":
                return result == "success"
            case "on-failure":
                return result != "success"
            case "on-abnormal":
                return result not in ("success", "exit-code")
            case "on-abort":
                return result in ("signal", "core-dump")
            case "on-watchdog":
                return result == "watchdog"
            case _:
                return False

    # What happens meanwhile

    def _main_ended(self, status: int) -> None:
        how = _how_it_ended(
            status, _DONE if self.service.type == "oneshot" else _CLEAN, self.service.success
        )
        if self.life.may_fail:
            how = "success"
        self._set(main=False, main_end=status)
        self._note(how)
        if how != "success":
            self._say(f"Main process exited, {_words_of(status)}", 5)
        match self.life.state:
            case "start" if self.service.type == "oneshot":
                if how != "success":
                    self._signal("stop-sigterm")
                elif self.life.queue:
                    self._run("main", "ExecStart", self.life.queue, self.service.start_timeout)
                else:
                    self._start_post()
            case "start" if self.service.type == "notify":
                # Whoever ends before it is ready has never been.
                self._signal("stop-sigterm", "protocol")
            case "start" | "running":
                self._running()
            case "start-post" | "reload" if not self.life.control:
                self._stop_commands()
            case "stop-sigterm" | "stop-sigkill" if not self.life.control:
                self._stop_post()
            case "stop-post" if not self.life.control:
                self._signal("final-sigterm")
            case "final-sigterm" | "final-sigkill" if not self.life.control:
                self._dead()

    def _control_ended(self, status: int) -> None:
        how = _how_it_ended(status, _DONE, Ends())
        self._set(control=False)
        if how != "success":
            self._say(f"Control process exited, {_words_of(status)}", 5)
        if self.life.control_may_fail:
            how = "success"
        if how == "success" and self.life.queue:
            self._run("control", self._key(), self.life.queue, self._patience())
            return
        self._set(queue=())
        match self.life.state:
            case "reload":
                self._set(reloaded=how)
                self._running()
            case "start-pre" | "start" | "start-post" if how != "success":
                self._signal("stop-sigterm", how)
            case "start-pre":
                self._start_main()
            case "start":
                self.effects.append(FindMain())
            case "start-post":
                self._running()
            case "stop":
                self._signal("stop-sigterm", how)
            case "stop-sigterm" | "stop-sigkill" if not self.life.main:
                self._note(how)
                self._stop_post()
            case "stop-post" if not self.life.main:
                self._signal("final-sigterm", how)
            case "final-sigterm" | "final-sigkill" if not self.life.main:
                self._dead()

    def _key(self) -> str:
        keys = {
            "start-pre": "ExecStartPre",
            "start-post": "ExecStartPost",
            "reload": "ExecReload",
            "stop": "ExecStop",
            "stop-post": "ExecStopPost",
        }
        return keys.get(self.life.state, "ExecStart")

    def _patience(self) -> float:
        stopping = self.life.active == "deactivating"
        return self.service.stop_timeout if stopping else self.service.start_timeout

    def _main_found(self, found: bool) -> None:
        if self.life.state != "start" or self.life.control:
            return
        if found:
            self._set(main=True)
            self._start_post()
        elif not self.service.pid_file:
            self._start_post()  # nobody knows who it is; `Emptied` will tell the end

    def _emptied(self) -> None:
        match self.life.state:
            case "start" if self.service.type in ("notify", "forking"):
                self._signal("stop-sigterm", "protocol")
            case "running":
                self._set(main=False)
                self._running()
            case "stop-sigterm" | "stop-sigkill":
                self._stop_post()
            case "final-sigterm" | "final-sigkill":
                self._dead()

    def _time_over(self) -> None:
        state = self.life.state
        match state:
            case "auto-restart":
                # The manager stops and starts it, with all who cannot do without it.
                self._set(restarts=self.life.restarts + 1, returning=True)
                self._say(f"Scheduled restart job, restart counter is at {self.life.restarts}.")
            case "start-pre" | "start" | "start-post":
                self._say(f"{state} operation timed out. Terminating.", 4)
                self._signal("stop-sigterm", "timeout")
            case "reload":
                self._say("Reload operation timed out. Killing reload process.", 4)
                self._set(reloaded="timeout", queue=())
                self._running()
            case "stop":
                self._say("Stopping timed out. Terminating.", 4)
                self._signal("stop-sigterm", "timeout")
            case "stop-sigterm" | "final-sigterm":
                self._note("timeout")
                if self.service.send_sigkill:
                    self._say(f"State '{state}' timed out. Killing.", 4)
                    self._signal(state.replace("sigterm", "sigkill"))
                else:
                    self._say(f"State '{state}' timed out. Skipping SIGKILL.", 4)
                    self._gone()
            case "stop-sigkill" | "final-sigkill":
                self._say("Processes still around after SIGKILL. Ignoring.", 4)
                self._note("timeout")
                self._gone()
            case "stop-post":
                self._say("State 'stop-post' timed out. Terminating.", 4)
                self._signal("final-sigterm", "timeout")

    def _failed_to_run(self) -> None:
        match self.life.state:
            case "reload":
                self._set(reloaded="resources")
                self._running()
            case "stop":
                self._signal("stop-sigterm", "resources")
            case "stop-post":
                self._signal("final-sigterm", "resources")
            case "start-pre" | "start" | "start-post":
                self._signal("stop-sigterm", "resources")

    def _notified(self, said: Mapping[str, str]) -> None:
        self._set(status=said.get("STATUS", self.life.status))
        if (
            said.get("READY") == "1"
            and self.life.state == "start"
            and self.service.type == "notify"
        ):
            self._start_post()
        if said.get("STOPPING") == "1" and self.life.state == "running":
            self._enter("stop-sigterm")
            self._timer(self.service.stop_timeout)


def _how_it_ended(status: int, clean: Ends, more: Ends) -> str:
    if status in clean or status in more:
        return "success"
    if status & 0x7F == 0:
        return "exit-code"
    return "core-dump" if status & 0x80 else "signal"


def _words_of(status: int) -> str:
    if status & 0x7F == 0:
        return f"code=exited, status={status >> 8}/{NAMES_OF_STATUSES.get(status >> 8, 'n/a')}"
    number = status & 0x7F
    name = signal.Signals(number).name.removeprefix("SIG")
    return f"code={'dumped' if status & 0x80 else 'killed'}, status={number}/{name}"
