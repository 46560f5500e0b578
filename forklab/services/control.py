"""What is asked of the manager, by `ctl` or at its start, and what it answers.

Verbs about jobs are requests to the core, whose ends are waited for; the others are done at once.
"""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

from forklab.services.clients import Client, Clients
from forklab.services.folder import Folders, Name, full_name
from forklab.services.graph import UP, Job, Kind
from forklab.services.hands import Hands
from forklab.services.manager import Finished, Request, Reread
from forklab.services.memory import asked_for, remembered
from forklab.services.place import CONTROL
from forklab.services.processes import below
from forklab.services.properties import properties
from forklab.services.unit import Load, Unit
from forklab.services.values import signal_number

# The job that is meant by a verb.
JOBS: Final = {
    "start": Kind.START,
    "stop": Kind.STOP,
    "restart": Kind.RESTART,
    "try-restart": Kind.RESTART,
    "reload": Kind.RELOAD,
    "reload-or-restart": Kind.RESTART,
    "try-reload-or-restart": Kind.RESTART,
}
_GOOD: Final = ("done", "already", "skipped")
_LONGEST_NAME: Final = 255
_PATTERN: Final = re.compile(r"[*?\[]")


class _RequestError(Exception):
    """What the client is told instead."""


class Control:
    """Does what is asked for at `runtime/control`. `leaving`: somebody wants the manager to end."""

    def __init__(self, hands: Hands, folders: Folders, runtime: Path) -> None:
        self.leaving = False
        self._hands = hands
        self._folders = folders
        self._numbers = 0
        self._answers: dict[int, tuple[Client, str, str]] = {}
        hands.finished = self.finished
        self._clients = Clients(hands.loop, runtime / CONTROL, self._obey)
        self._answer = self._clients.answer

    def _obey(self, client: Client, line: bytes) -> None:
        try:
            asked = json.loads(line)
            verb, names = str(asked["verb"]), asked.get("names", [])
            if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
                raise TypeError
        except (ValueError, KeyError, TypeError, RecursionError):
            client.status, client.words = 1, ["this is no request: {'verb': ..., 'names': [...]}"]
            self._answer(client)
            return
        try:
            full = list(self._full_names(verb, names))
            self._look_at(full)
            self._do(client, verb, full, asked)
        except _RequestError as error:
            client.status, client.words = 1, [str(error)]
            self._answer(client)

    def _do(self, client: Client, verb: str, names: list[str], asked: dict[str, Any]) -> None:
        acts: dict[str, Callable[[], None]] = {
            "states": lambda: self._answer(
                client, units=self._states(names, bool(asked.get("names")))
            ),
            "folders": lambda: self._answer(client, folders=list(map(str, self._folders.paths))),
            "daemon-reload": partial(self._reload_units, client),
            "reset-failed": partial(self._reset, client, names),
            "kill": partial(self._kill, client, names, asked),
            "exit": partial(self._leave, client),
        }
        if verb in acts:
            acts[verb]()
        elif verb in JOBS:
            self._request(client, verb, names, bool(asked.get("wait", True)))
        else:
            raise _RequestError(f"Unknown command verb '{verb}'.")

    def _full_names(self, verb: str, names: list[str]) -> Iterator[str]:
        """`web` is web.service; a pattern stands for units by their whole names: who looks sees all that are known, who
        wants something done means those that are remembered.
        """
        for name in names:
            failed = "" if verb == "states" else f"Failed to {verb} {full_name(name)}: "
            if _PATTERN.search(name):
                manager = self._hands.manager
                known = manager.graph.units if verb == "states" else remembered(manager)
                yield from (each for each in sorted(known) if fnmatch.fnmatchcase(each, name))
            elif not name or len(full_name(name)) > _LONGEST_NAME:
                raise _RequestError(f"{failed}Unit name {name[:64]!r} is not valid.")
            elif Name(full_name(name)).is_template:  # only its instances have a state
                raise _RequestError(
                    f"{failed}Unit name {full_name(name)} is missing the instance name."
                )
            else:
                yield self._folders.canonical(full_name(name))

    def _request(self, client: Client, verb: str, names: list[str], wait: bool) -> None:
        jobs = {}
        for name in names:
            if warning := self._warning(name):
                client.words.append(warning)
            if (kind := self._kind(client, verb, name)) is not None:
                self._numbers += 1
                jobs[self._numbers] = Job(name, kind)
                self._answers[self._numbers] = (client, verb, name)
        client.waiting |= jobs.keys()  # before the first of them can be finished
        for number, job in jobs.items():
            self._hands.happens(Request(number, job))
        if not jobs or (client.waiting and not wait):
            client.waiting.clear()
            self._answer(client)

    def _kind(self, client: Client, verb: str, name: str) -> Kind | None:
        """The job that a verb means for a unit; None if there is nothing to do."""
        unit = self._known(name)
        here = self._hands.manager.life(name).active != "inactive"
        if unit.load is Load.NOT_FOUND and not (here and verb == "stop"):  # who is here can go
            client.status = 5
            client.words.append(f"Failed to {verb} {name}: Unit {name} not found.")
            return None
        now = self._hands.manager.life(name).active
        active, here = now in UP, now in (*UP, "activating")
        if verb == "stop" and unit.load in (Load.BAD_SETTING, Load.ERROR) and not active:
            client.status = 5
            client.words.append(f"Failed to stop {name}: Unit {name} not loaded.")
            return None
        can_reload = bool(unit.service and "ExecReload" in unit.service.commands)
        if verb.startswith("try-") and not here:
            return None
        if verb == "reload" and not can_reload and unit.load is Load.LOADED:
            client.status = 3
            client.words.append(
                f"Failed to reload {name}: Job type reload is not applicable for unit {name}."
            )
            return None
        if verb.endswith("reload-or-restart"):
            return Kind.RELOAD if here and can_reload else Kind.RESTART
        return JOBS[verb]

    def start(self, name: str) -> None:
        """A unit that nobody waits for."""
        self._look_at([full_name(name)])
        self._hands.happens(Request(0, Job(full_name(name), Kind.START)))

    def finished(self, end: Finished) -> None:
        """A job has come to its end."""
        if end.number not in self._answers:
            return
        client, verb, name = self._answers.pop(end.number)
        if end.result not in _GOOD:
            client.status = max(client.status, 5 if end.result == "missing" else 1)
            client.words.append(self._words_of(end, verb, name))
        if end.number in client.waiting:
            client.waiting.discard(end.number)
            if not client.waiting:
                self._answer(client)

    def _words_of(self, end: Finished, verb: str, name: str) -> str:
        """Why a job has failed, and where there is more about it."""
        result = self._hands.manager.life(name).result
        return {
            "failed": f"Job for {name} failed (Result: {result}). 'ctl status {name}' shows more.",
            "dependency": f"A dependency job for {name} failed. 'ctl journal -e' shows which.",
            "canceled": f"Job for {name} canceled: meanwhile somebody asked for the opposite.",
            "assert": f"Assertion failed on job for {name}. 'ctl status {name}' shows which.",
            "invalid": f"{name} is not active, cannot reload.",
        }.get(end.result, f"Failed to {verb} {name}: {end.why}")

    def _known(self, name: str) -> Unit:
        return self._hands.manager.graph.units.get(name, Unit(name, Load.NOT_FOUND))

    def _look_at(self, names: list[str]) -> None:
        """Reads the files of those that nobody has asked for yet, and of those that were forgotten."""
        self._hands.manager, problems = asked_for(self._hands.manager, self._folders, names)
        self._hands.complain(problems)

    def _warning(self, name: str) -> str:
        """What whoever asks for the unit has to know, as systemctl says it; nothing if its files are as they were."""
        if not self._folders.is_outdated(self._known(name)):
            return ""
        return (
            f"Warning: The unit file, source configuration file or drop-ins of {name} changed on"
            " disk. Run 'ctl daemon-reload' to reload units."
        )

    def _reload_units(self, client: Client) -> None:
        known = filter(self._folders.file_of, self._hands.manager.graph.units)
        units, problems = self._folders.ours(*known)
        self._hands.complain(problems, anew=True)
        self._hands.manager = self._hands.manager.with_units(units)
        self._hands.happens(Reread())
        self._answer(client)

    def _reset(self, client: Client, names: list[str]) -> None:
        for name in names:
            if self._known(name).load is Load.NOT_FOUND:
                client.status = 1
                client.words.append(f"Failed to reset unit {name}: Unit {name} not loaded.")
        self._hands.manager = self._hands.manager.forgiven(names)
        self._answer(client)

    def _kill(self, client: Client, names: list[str], asked: dict[str, Any]) -> None:
        word = str(asked.get("signal", "SIGTERM"))
        try:
            number = signal_number(word)
        except ValueError:
            raise _RequestError(f"Failed to parse signal string {word}.") from None
        whom = str(asked.get("whom", "all"))
        for name in names:
            pids = self._hands.pids(name)
            here = self._hands.manager.life(name).active != "inactive"
            if pids and (whom == "all" or whom in pids):
                self._hands.kill(name, number, "everybody" if whom == "all" else whom)
            elif not here or whom != "all" or name.endswith(".target"):
                # Who is here and has no process just now needs no signal.
                there = self._known(name).load is not Load.NOT_FOUND
                what = "No process" if whom == "all" else f"No {whom} process"
                why = f"{what} to kill" if there else f"Unit {name} not loaded"
                client.status = 1
                client.words.append(f"Failed to kill unit {name}: {why}.")
        self._answer(client)

    def _leave(self, client: Client) -> None:
        self.leaving = True
        self._answer(client)

    def _states(self, names: list[str], named: bool) -> list[dict[str, Any]]:
        """How units stand; all that are known if none were named, and then without their processes."""
        shown = names if named else sorted(self._hands.manager.graph.units)
        return [self._state(name, in_full=named) for name in shown]

    def _state(self, name: str, *, in_full: bool) -> dict[str, Any]:
        manager = self._hands.manager
        unit, each, pids = self._known(name), manager.life(name), self._hands.pids(name)
        is_target = name.endswith(".target")
        sub = _SUB_OF_TARGETS.get(each.state, each.state) if is_target else each.state
        processes = below(pids["keeper"]) if in_full and pids else []
        return {
            "name": name,
            "description": unit.description or name,
            "load": unit.load,
            "files": unit.files,
            "documentation": unit.documentation,
            "settings": properties(unit) if in_full else {},
            "outdated": self._warning(name) if in_full else "",
            "condition": name in manager.lives and name not in manager.skipped,
            "active": each.active,
            "sub": sub,
            "result": each.result,
            "restarts": each.restarts,
            # Of who is inactive, and has not failed, systemd forgets it.
            "status": "" if each.active == "inactive" else each.status,
            "main_end": each.main_end,
            "pids": pids,
            "last_main": self._hands.mains.get(name, 0),
            "processes": [process._asdict() for process in processes],
            "since": self._hands.since(name),
            "job": str(manager.tasks[name].job.kind) if name in manager.tasks else "",
        }


_SUB_OF_TARGETS: Final = {"running": "active"}
