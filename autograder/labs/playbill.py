"""What a lab says of all of its plays: who is judged, as what, how it is started, and what is expected of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from autograder.errors import did_you_mean
from autograder.labs.tomlfile import TomlTable
from autograder.language.blanks import BLANKS, UnreadableError
from autograder.language.roles import (
    AS_COMMAND,
    AS_INIT,
    AS_TOOL,
    INIT,
    MAIN,
    MOST_ACTORS,
    ROLES,
    Actors,
    Programs,
    Subject,
)

# What is expected of a play beside what its script says: how a perfect init plays it, how the lab's own solution does,
# or nothing.
MODEL_OF_INIT, REFERENCE, NOTHING = EXPECTED = ("model:init", "reference", "none")

PROGRAM_WORD, MAIN_WORD = "{program}", "{main}"

_FILE_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*")
_PLACE = re.compile(r"\{(.*)\}")
_MOST_FILES, _LONGEST_FILE = 50, 100_000


@dataclass(frozen=True)
class Playbill:
    """`programs` are what a submission is built to, `run` is the command line: {program} is the first of them, {NAME}
    the one of that name, {main} an actor. `commands` are actors that the subject finds on its PATH, `files` are what it
    finds where it starts: names and texts.
    """

    role: str = AS_INIT
    programs: tuple[str, ...] = (INIT,)
    run: tuple[str, ...] = (PROGRAM_WORD, MAIN_WORD)
    commands: tuple[str, ...] = ()
    files: tuple[tuple[str, str], ...] = ()
    expected: str = MODEL_OF_INIT

    @property
    def program(self) -> str:
        """The one that `run` starts."""
        return self.program_of(self.run[0]) or self.programs[0]

    @property
    def subject(self) -> Subject:
        """PID 1 is called init, whatever its program is. A tool is run by main."""
        if self.role == AS_TOOL:
            return Subject(MAIN, AS_TOOL)
        return Subject() if self.role == AS_INIT else Subject(self.program, AS_COMMAND)

    def program_of(self, word: str) -> str | None:
        """Which program a word of `run` stands for; None if it is none of them."""
        if word == PROGRAM_WORD:
            return self.programs[0]
        place = _PLACE.fullmatch(word)
        return place[1] if place and place[1] in self.programs else None

    def command_line(
        self, run: Sequence[str], programs: Programs, main: Sequence[str]
    ) -> list[str]:
        """The words of `run` with everything in its place."""
        words: list[str] = []
        for word in run:
            program = self.program_of(word)
            if program is not None:
                words += programs[program]
            else:
                words += main if word == MAIN_WORD else [word]
        return words


OF_AN_INIT = Playbill()  # what holds where a lab says nothing else


def read_playbill(table: TomlTable) -> Playbill:
    """The keys of lab.toml. What is wrong with them is noted in the table."""
    role = _one_of(table, "role", ROLES, AS_INIT)
    programs = _programs(table, role)
    run = (MAIN_WORD,) if role == AS_TOOL else OF_AN_INIT.run
    bill = Playbill(role, programs, run, expected=_expected(table, role))
    return with_keys(bill, table)


def can_be_called(word: str) -> bool:
    """Whether scripts can call a program so: no word of their language, and nobody else's name."""
    if word in (INIT, MAIN):
        return False
    try:
        return BLANKS["{actors}"].read(word) == Actors(word)
    except UnreadableError:
        return False


def with_keys(bill: Playbill, table: TomlTable) -> Playbill:
    """The same with what may also be said of a single play, in its own file: `run`, and further commands and files."""
    run = table.texts("run", bill.run)
    commands = (*bill.commands, *_commands(table, bill))
    files = dict(bill.files) | _files(table)
    if len(commands) > MOST_ACTORS:
        table.flaw(
            "commands", f"these are {len(commands)} actors; a play has {MOST_ACTORS} at most"
        )
    if bill.role == AS_TOOL and run != bill.run:
        table.flaw("run", "nothing runs a tool but actors", "Say it in the script: main runs ...")
    elif run and bill.role != AS_TOOL and bill.program_of(run[0]) is None:
        mend = f"For example: run = {_list_of([PROGRAM_WORD, *run[1:]])}"
        table.flaw("run", "`run` must begin with the program that is judged", mend)
    for word in run[1:]:
        if _PLACE.fullmatch(word) and word != MAIN_WORD and bill.program_of(word) is None:
            places = (PROGRAM_WORD, MAIN_WORD, *(f"{{{name}}}" for name in bill.programs))
            table.flaw("run", f"nothing stands for {word}", did_you_mean(word, places))
    return Playbill(
        bill.role,
        bill.programs,
        run or bill.run,
        tuple(dict.fromkeys(commands)),
        tuple(files.items()),
        bill.expected,
    )


def _programs(table: TomlTable, role: str) -> tuple[str, ...]:
    several = table.texts("programs", ())
    if several and "program" in table.keys:
        table.flaw("program", "`program` and `programs` say the same", "Leave one of them away.")
    if several:
        table.text("program", INIT)
        key, names = "programs", several
    else:
        key, names = "program", (table.text("program", INIT),)
    for name in names:
        if not _FILE_NAME.fullmatch(name):
            what = f"`{key}` must be the name of a file: letters, digits, _, . and -"
            table.flaw(key, what)
        elif role == AS_COMMAND and not can_be_called(name):
            what = f"'{name}' cannot be what scripts call the program"
            mend = (
                "Take a name of letters, digits, _ and - that is no word of the scenario language."
            )
            table.flaw(key, what, mend)
    return names


def _expected(table: TomlTable, role: str) -> str:
    usual = MODEL_OF_INIT if role == AS_INIT else REFERENCE
    expected = _one_of(table, "expected", EXPECTED, usual)
    if expected == MODEL_OF_INIT and role != AS_INIT:
        mend = 'For example: expected = "reference"'
        table.flaw("expected", "the model knows what an init does, and no command", mend)
    return expected


def _one_of(table: TomlTable, key: str, words: Sequence[str], usual: str) -> str:
    word = table.text(key, usual)
    if word not in words:
        choice = ", ".join(f'"{one}"' for one in words)
        table.flaw(key, f"`{key}` must be one of {choice}", did_you_mean(word, words))
        return usual
    return word


def _commands(table: TomlTable, bill: Playbill) -> Iterable[str]:
    """Names of actors; rows are written as in a script."""
    for word in table.texts("commands", ()):
        try:
            actors = BLANKS["{actors}"].read(word)
        except UnreadableError as error:
            table.flaw("commands", str(error))
            continue
        assert isinstance(actors, Actors)
        if actors.count > MOST_ACTORS:
            table.flaw("commands", f"{word} are {actors.count} actors")
        elif {INIT, MAIN, *bill.programs} & {*actors}:
            table.flaw("commands", f"'{word}' is somebody else's name", "Take another one.")
        else:
            yield from actors


def _files(table: TomlTable) -> dict[str, str]:
    inner = table.table("files")
    files = {name: inner.any_text(name) or "" for name in inner.keys} if inner else {}
    for name, text in files.items():
        path = PurePosixPath(name)
        if inner and (path.is_absolute() or ".." in path.parts or str(path) != name):
            inner.flaw(name, f"'{name}' is no path inside of a folder", "For example: notes.txt")
        elif inner and len(text) > _LONGEST_FILE:
            inner.flaw(name, f"a file has {_LONGEST_FILE} characters at most")
    if len(files) > _MOST_FILES:
        table.flaw("files", f"a play has {_MOST_FILES} files at most")
    return files


def _list_of(words: Iterable[str]) -> str:
    return "[" + ", ".join(f'"{word}"' for word in words) + "]"
