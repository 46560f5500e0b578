"""One loop for everybody: who is heard when, and that nobody has to wait for all."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from forklab.services.folder import Folders
from forklab.services.graph import Job, Kind
from forklab.services.hands import Hands
from forklab.services.journal import Journal
from forklab.services.keepers import keeper_program
from forklab.services.loop import Loop, Rank
from forklab.services.manager import Leave, Manager, Request


def fail(error: Exception) -> None:
    raise error


class Noted:
    """A loop, and what it has called, in order."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.loop = Loop(fail, lambda: self.calls.append("settle"))

    def ready(self, rank: Rank) -> None:
        """Somebody of this rank who has something to say in each turn."""
        ours, theirs = socket.socketpair()
        theirs.close()
        self.loop.listen(ours, rank, lambda: self.calls.append(rank.name))

    def turn(self) -> list[str]:
        self.calls.clear()
        self.loop.turn()
        return self.calls


def test_what_has_happened_is_settled_before_anybody_waits() -> None:
    noted = Noted()
    noted.ready(Rank.REPORT)
    assert noted.turn() == ["settle", "REPORT"]


def test_of_several_the_more_urgent_is_heard_first() -> None:
    noted = Noted()
    for rank in reversed(Rank):
        noted.ready(rank)
    assert noted.turn() == ["settle", *(rank.name for rank in Rank)]


def test_long_work_goes_on_between_requests_and_before_all_others() -> None:
    noted = Noted()
    noted.ready(Rank.REQUEST)
    noted.ready(Rank.REPORT)
    noted.loop.set_alarm("timer", "a", 0.0, lambda: noted.calls.append("alarm"))
    left = [True, False]

    def work() -> bool:
        noted.calls.append("work")
        return left.pop(0)

    noted.loop.keep_at(work)
    assert noted.turn() == ["settle", "REQUEST", "work"]
    assert noted.turn() == ["settle", "REQUEST", "work"]
    assert noted.turn() == ["settle", "REPORT", "REQUEST", "alarm"]


@pytest.fixture
def hands(tmp_path: Path) -> Iterator[Hands]:
    """Of 25 services and a target that wants them all."""
    names = [f"u{number}.service" for number in range(25)]
    for name in names:
        (tmp_path / name).write_text("[Service]\nExecStart=/bin/sleep 1000\n")
    (tmp_path / "all.target").write_text(f"[Unit]\nWants={' '.join(names)}\n")
    units, _ = Folders([tmp_path]).everything()
    place = Path(os.path.relpath(tmp_path))  # a socket's path is short
    found = Hands(Manager.of(units), Journal(tmp_path / "journal"), place, keeper_program())
    yield found
    pids = [found.pids(name).get("keeper", 0) for name in names]
    found.happens(Leave())
    found.let_go(0.0, at_once=True)
    for pid in filter(None, pids):
        os.waitpid(pid, 0)


def test_few_services_are_started_in_one_go(hands: Hands) -> None:
    """Who asks something while a thousand start has an answer after ten."""
    ends = []
    hands.finished = lambda end: ends.append(end.result)

    def started() -> int:
        return sum(bool(hands.pids(f"u{number}.service")) for number in range(25))

    hands.happens(Request(1, Job("all.target", Kind.START)))
    assert started() == 10 and hands.is_behind
    hands.loop.turn()
    assert started() == 20 and hands.is_behind and not ends
    hands.loop.turn()
    assert started() == 25 and not hands.is_behind and ends == ["done"]
