"""Reads job files. This part is given: what is left for you are processes and events.

    for job_file in read_folder("jobs"):
        job_file.name, job_file.command, job_file.start_on ...

A condition (`start_on`, `stop_on`) is a tree: `Match` is one event that it waits for, `Both` and
`Either` have two conditions below them. None of them remembers anything.
"""

import fnmatch
import os
import re
import sys
from dataclasses import dataclass, field


@dataclass(eq=False)
class Match:
    """An event and what its variables must be: `started db`, `deploy COLOR=green`, `runlevel [06]`.

    A value without a name is compared with the event's variable at the same place.
    """

    event: str
    values: list  # of (name, pattern), where name is None for a value without one

    def fits(self, name, variables):
        """Whether this is the event. Its variables are a dict, in the order of their places."""
        if name != self.event:
            return False
        for place, (key, pattern) in enumerate(self.values):
            if key is None:
                key = list(variables)[place] if place < len(variables) else ""
            value = variables.get(key, "")
            if not fnmatch.fnmatchcase(value, pattern):
                return False
        return True


@dataclass(eq=False)
class Both:
    left: object
    right: object


@dataclass(eq=False)
class Either:
    left: object
    right: object


@dataclass(eq=False)
class JobFile:
    name: str
    start_on: object = None  # None: it starts only when it is told to
    stop_on: object = None
    respawn: bool = False
    limit: int = 10  # so many respawns ...
    interval: float = 5  # ... in so many seconds are too many if there comes one more
    expect: str = None  # or "fork", or "daemon"
    kill_timeout: float = 5  # seconds
    pre_start: list = field(default_factory=list)  # words; none if there are none
    command: list = field(default_factory=list)


def read_folder(folder):
    """All NAME.conf of a folder, by name. What is wrong with one is told, and it is left out."""
    job_files = []
    for file in sorted(os.listdir(folder)):
        name, ending = os.path.splitext(file)
        if ending != ".conf":
            continue
        try:
            with open(os.path.join(folder, file), encoding="utf-8") as lines:
                job_files.append(_read(name, lines))
        except (OSError, ValueError) as error:
            print(f"events: {file}: {error}", file=sys.stderr, flush=True)
    return job_files


def _read(name, lines):
    job = JobFile(name)
    for number, line in enumerate(lines, 1):
        words = line.split("#")[0].split()
        try:
            _take(job, words)
        except (IndexError, ValueError) as error:
            raise ValueError(f"line {number}: {line.strip()}: {error}") from None
    if not job.command:
        raise ValueError("it has no line exec")
    return job


def _take(job, words):
    match words:
        case []:
            pass
        case ["description" | "author" | "version", *_]:
            pass  # words for people
        case ["start", "on", *rest]:
            job.start_on = _condition(rest)
        case ["stop", "on", *rest]:
            job.stop_on = _condition(rest)
        case ["respawn"]:
            job.respawn = True
        case ["respawn", "limit", limit, interval]:
            job.limit, job.interval = int(limit), float(interval)
        case ["expect", "fork" | "daemon" as what]:
            job.expect = what
        case ["kill", "timeout", seconds]:
            job.kill_timeout = float(seconds)
        case ["pre-start", "exec", *command] if command:
            job.pre_start = command
        case ["exec", *command] if command:
            job.command = command
        case _:
            raise ValueError("not understood")


def _condition(words):
    """`and` and `or` bind alike, from the left: upstart has it so. Parentheses say it otherwise."""
    tokens = re.findall(r"[()]|[^\s()]+", " ".join(words))
    tree, rest = _several(tokens)
    if rest:
        raise ValueError(f"what is {rest[0]} doing here?")
    return tree


def _several(tokens):
    tree, tokens = _one(tokens)
    while tokens and tokens[0] in ("and", "or"):
        right, rest = _one(tokens[1:])
        tree = Both(tree, right) if tokens[0] == "and" else Either(tree, right)
        tokens = rest
    return tree, tokens


def _one(tokens):
    if not tokens or tokens[0] in ("and", "or", ")"):
        raise ValueError("an event is missing")
    if tokens[0] == "(":
        tree, tokens = _several(tokens[1:])
        if not tokens or tokens[0] != ")":
            raise ValueError("a ) is missing")
        return tree, tokens[1:]
    event, *tokens = tokens
    values = []
    while tokens and tokens[0] not in ("and", "or", "(", ")"):
        key, equals, pattern = tokens[0].partition("=")
        values.append((key, pattern) if equals else (None, key))
        tokens = tokens[1:]
    return Match(event, values), tokens
