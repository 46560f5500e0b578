"""Captions: each event in a sentence that is true of what was there before it, and can be read aloud."""

from __future__ import annotations

from typing import Any

import pytest
from any_history import histories
from hypothesis import given, settings

from forklab.draw.film.captions import captions, clocks
from forklab.history import History, HistoryBuilder, Process

Step = tuple[Any, ...]


def story(*steps: Step, t: float = 0.0) -> History:
    """P starts; then each step is a kind, a process and its keys. A fork has its child's name."""
    builder = HistoryBuilder()
    builder.start(Process("P", 1000, None), 0.0)
    for kind, process, details in steps:
        if kind == "fork":
            builder.fork(Process(details, 1001, process), t)
        else:
            builder.add(kind, process, t, **details)
    return builder.history


FORK: Step = ("fork", "P", "P.1")
EXIT: Step = ("exit", "P.1", {"status": 3})


@pytest.mark.parametrize(
    ("steps", "caption"),
    [
        ([FORK], "P forks P.1"),
        ([FORK, EXIT], "P.1 exits with 3: now a zombie, because P has not waited"),
        (
            [FORK, ("waits", "P", {}), EXIT],
            "P.1 exits with 3: P, which waits for it, is told",
        ),
        (
            [FORK, ("fork", "P", "P.2"), ("waits", "P", {"child": "P.2"}), EXIT],
            "P.1 exits with 3: now a zombie, because P waits for P.2 alone",
        ),
        ([FORK, ("waits", "P", {"child": "P.1"})], "P waits for P.1"),
        ([("waits", "P", {})], "P waits for any child"),
        (
            [FORK, EXIT, ("reaped", "P.1", {"by": "P", "status": 3})],
            "P reaps P.1, which exited with 3",
        ),
        (
            [FORK, ("sends", "P", {"signal": "SIGTERM", "to": "P.1"})],
            "P sends SIGTERM to P.1",
        ),
        (
            [
                FORK,
                ("signal", "P.1", {"signal": "SIGTERM", "sender": "P"}),
                ("killed", "P.1", {"signal": "SIGTERM"}),
            ],
            "SIGTERM kills P.1 (sent by P): now a zombie, because P has not waited",
        ),
        ([("signal", "P", {"signal": "SIGUSR1"})], "P catches SIGUSR1"),
        ([("stopped", "P", {"signal": "SIGTSTP"})], "SIGTSTP stops P"),
        ([("continued", "P", {})], "P continues"),
        (
            [FORK, ("reparented", "P.1", {"old": "P", "new": "init"})],
            "P.1 loses its parent: init adopts it",
        ),
        ([("exec", "P", {"argv": ("/usr/games/cowsay", "moo")})], "P runs cowsay moo"),
        ([("output", "P", {"text": "hello\n"})], "P writes “hello”"),
        ([("output", "P", {"text": "\n"})], "P writes an empty line"),
    ],
)
def test_the_last_event_is_told_in_plain_words(steps: list[Step], caption: str) -> None:
    assert captions(story(*steps))[-1] == caption


def test_a_child_whose_parent_ignores_it_is_not_called_a_zombie() -> None:
    reaped: Step = ("reaped", "P.1", {"by": "kernel", "status": 3})
    told = (
        "P.1 exits with 3",
        "the kernel collects P.1, which exited with 3: P ignores SIGCHLD, or has set SA_NOCLDWAIT",
    )
    assert captions(story(FORK, EXIT, reaped))[2:] == told
    assert captions(story(FORK, ("waits", "P", {}), EXIT, reaped))[3:] == told


def test_a_jump_of_the_clock_is_said() -> None:
    builder = HistoryBuilder()
    builder.start(Process("P", 1000, None), 0.0)
    for t in (10.0, 10.0, 100.0):
        builder.add("continued", "P", t)
    assert clocks(builder.history) == (
        "at 0 s",
        "at 10 s, 10 s later",
        "at 10 s",
        "at 100 s, 90 s later",
    )


@settings(max_examples=50)
@given(histories())
def test_every_event_has_one_printable_line(history: History) -> None:
    told = captions(history)
    assert len(told) == len(history.events)
    assert all(line and line.isprintable() for line in told)
