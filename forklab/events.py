"""One fact about a process: what happened to it, or what it did. To JSON and back without loss."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, Self, TypedDict

from forklab.jsonform import JsonObject

KERNEL = "kernel"  # by whom a process is "reaped" whose parent wants no zombies; no process has this name


class Process(NamedTuple):
    """Who took part. `parent` is who forked it, None for the first; `reaper`: PID 1 or a subreaper, who adopts
    orphans.
    """

    name: str
    pid: int
    parent: str | None
    reaper: bool = False


# What each kind of event tells besides n, t, kind and process: the keys that it must have, and
# those that it may have.
_KEYS: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    kind: (frozenset(required.split()), frozenset(optional.split()))
    for kind, required, optional in (
        ("start", "", ""),
        ("fork", "child", ""),
        ("exec", "argv", ""),
        ("exit", "status", ""),
        ("killed", "signal", ""),
        ("reaped", "by status", ""),
        ("reparented", "old new", ""),
        ("waits", "", "child"),
        ("sends", "signal to", ""),
        ("signal", "signal", "sender"),
        ("stopped", "", "signal"),
        ("continued", "", ""),
        ("output", "text", ""),
    )
}
_EXTRAS = tuple(sorted({key for needed, allowed in _KEYS.values() for key in needed | allowed}))
_is_there = partial(operator.is_not, None)
# Kinds, and which of all keys are there: those that have been found good. There are few of them, and many events.
_GOOD_FORMS: set[tuple[str, tuple[bool, ...]]] = set()


class Details(TypedDict, total=False):
    """What an event tells besides n, t, kind and process: see `Event`."""

    child: str | None
    argv: tuple[str, ...] | None
    status: int | None
    signal: str | None
    by: str | None
    old: str | None
    new: str | None
    sender: str | None
    to: str | None
    text: str | None


@dataclass(frozen=True)
class Event:
    """One fact. `n` counts from 0 in causal order; `t` is in seconds since the start of the history.

    `process` is whom it happened to or who did it: the one that forks, exits, is reaped, gets the signal, writes.
    `status` of an exit is 0 to 255; of a reaped it is what the parent was told, as os.waitstatus_to_exitcode() says
    it: 0 to 255, or minus the number of the signal that killed it. Signals are names ("SIGTERM"). A signal without a
    `sender` came from outside. A process is reaped `by` KERNEL, and nobody is told its status, if its parent ignores
    SIGCHLD or has set SA_NOCLDWAIT (wait(2), NOTES).

    "sends" is somebody who sends a signal `to` somebody, "signal" that it has an effect there: a handler runs, or the
    process is killed or stopped. "waits" is a process that blocks in wait(2), for any child if there is no `child`; it
    does so until it does something else. Only the lens knows of "sends" and "waits".

    Raises ValueError if the keys are not those of its kind.
    """

    n: int
    t: float
    kind: str
    process: str
    child: str | None = None
    argv: tuple[str, ...] | None = None
    status: int | None = None
    signal: str | None = None
    by: str | None = None
    old: str | None = None
    new: str | None = None
    sender: str | None = None
    to: str | None = None
    text: str | None = None

    def __post_init__(self) -> None:
        form = self.kind, tuple(map(_is_there, vars(self).values()))
        if form not in _GOOD_FORMS:
            self._check()
            _GOOD_FORMS.add(form)

    def _check(self) -> None:
        if self.kind not in _KEYS:
            raise ValueError(f"event {self.n}: no such kind of event: {self.kind!r}")
        required, optional = _KEYS[self.kind]
        given = set(self._extras())
        if missing := required - given:
            raise ValueError(f"event {self.n}: {self.kind} needs {', '.join(sorted(missing))}")
        if surplus := given - required - optional:
            raise ValueError(f"event {self.n}: {self.kind} has no {', '.join(sorted(surplus))}")

    def _extras(self) -> JsonObject:
        return {key: value for key in _EXTRAS if (value := getattr(self, key)) is not None}

    def to_json(self) -> JsonObject:
        extras = self._extras()
        if self.argv is not None:
            extras["argv"] = list(self.argv)
        return {"n": self.n, "t": self.t, "kind": self.kind, "process": self.process, **extras}

    @classmethod
    def from_json(cls, form: JsonObject) -> Self:
        argv = form.get("argv")
        return cls(**{**form, **({"argv": tuple(argv)} if argv is not None else {})})
