"""Who plays: the subject, main and the actors that the script brings on, alone or in rows; how pictures number them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

INIT = "init"  # whose children orphans become: the submission itself where it is one, else our own
MAIN = "main"  # the actor that the subject is asked to start
OUTSIDE = "outside"  # who started init; in mode subreaper it also adopts whom init leaves behind

# Where init stands: PID 1 of a PID namespace of its own, or a child subreaper.
PIDNS = "pidns"
SUBREAPER = "subreaper"
MODES = (PIDNS, SUBREAPER)
# The same two in virtual time, below the lens.
VIRTUAL = "virtual"
VIRTUAL_SUBREAPER = "virtual-subreaper"
_IN_VIRTUAL_TIME = {VIRTUAL: PIDNS, VIRTUAL_SUBREAPER: SUBREAPER}
_BELOW_THE_LENS = {isolation: mode for mode, isolation in _IN_VIRTUAL_TIME.items()}


def isolation_of(mode: str) -> str:
    """Where init stands in this mode."""
    return _IN_VIRTUAL_TIME.get(mode, mode)


def is_in_virtual_time(mode: str) -> bool:
    return mode in _IN_VIRTUAL_TIME


def in_virtual_time(isolation: str) -> str:
    """The mode of virtual time in which init stands so."""
    return _BELOW_THE_LENS[isolation]


Programs: TypeAlias = Mapping[str, Sequence[str]]  # the words that start each program, by its name

MOST_ACTORS = 200  # of a play

STREAMS = ("input", "output", "error")  # standard descriptors 0, 1 and 2
BANDS = ("group", "session")  # of processes
ENDINGS = ("succeeds", "fails", "waits")  # of a command for a service manager
FOREGROUND, BACKGROUND = PLACES = ("foreground", "background")  # of a terminal, for a job

# The pids that pictures and messages show, whatever they really are.
INIT_PIDS = {PIDNS: 1, SUBREAPER: 999}
COMMAND_PID = 999  # of a subject that is no init: that is 1 then
FIRST_PID = 1000  # main's; who is forked later has the next one


# What the submission is in its plays.
AS_INIT = "init"  # PID 1, or a subreaper; it is called init
AS_COMMAND = "command"  # an ordinary process below an init of ours; it is called as its program is
AS_TOOL = "tool"  # nobody runs it but actors, as often as the script says: what is there from the start is main
ROLES = (AS_INIT, AS_COMMAND, AS_TOOL)


@dataclass(frozen=True)
class Subject:
    """The program that is judged, as the plays of a lab know it: its name in scripts and pictures, and its role.

    Of a tool it is main: whom a play begins with, and ends with.
    """

    name: str = INIT
    role: str = AS_INIT

    @property
    def is_init(self) -> bool:
        return self.role == AS_INIT

    @property
    def is_actor(self) -> bool:
        """Whether it follows the script, and what is judged is what actors execute."""
        return self.role == AS_TOOL

    def __str__(self) -> str:
        """In a sentence for its author: "your init", or its own name."""
        return f"your {self.name}" if self.is_init else self.name


@dataclass(frozen=True)
class Casting:
    """Who may be on the stage without that an actor forks it: the subject, `main` if the subject is asked to start it,
    and `commands`, actors that the subject finds on its PATH under these names.

    `notes_starts`: somebody may ask how they were when they began.
    """

    subject: Subject = Subject()
    main: bool = True
    commands: tuple[str, ...] = ()
    notes_starts: bool = True

    def is_command(self, name: str) -> bool:
        """Whether it is one of `commands`, or a further run of one: sleepy, sleepy-2, sleepy-3 ..."""
        return name in self.commands or command_of(name) in self.commands


AS_EVER = Casting()  # an init, and main


@dataclass(frozen=True)
class Actors:
    """One process of the play, or a row of them: `main`, `w1..w20`."""

    stem: str
    first: int | None = None
    last: int | None = None

    def __iter__(self) -> Iterator[str]:
        if self.first is None or self.last is None:
            yield self.stem
        else:
            yield from (f"{self.stem}{number}" for number in range(self.first, self.last + 1))

    def __str__(self) -> str:
        if not self.is_row:
            return self.stem
        return f"{self.stem}{self.first}..{self.stem}{self.last}"

    @property
    def is_row(self) -> bool:
        return self.first is not None

    @property
    def count(self) -> int:
        """How many they are; 0 or less if the row runs backwards. Cheap also for absurd rows."""
        return 1 if self.first is None or self.last is None else self.last - self.first + 1


_FURTHER_RUN = re.compile(r"(.+)-([2-9]|[1-9][0-9]+)")


def run_name(command: str, run: int) -> str:
    """What the actor is called that is the first, second ... to run under the name of a command."""
    return command if run == 1 else f"{command}-{run}"


def command_of(name: str) -> str:
    """Whose further run an actor of this name would be; the name itself if it is the first one."""
    match = _FURTHER_RUN.fullmatch(name)
    return match[1] if match else name
