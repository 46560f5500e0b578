"""Looking at those who are at rest misses nobody who has been woken meanwhile."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from forklab.lens.loop import listening
from forklab.lens.loop import loop as loop_module
from forklab.lens.world.chronicle import Member
from forklab.lens.world.stands import Stand
from forklab.lens.world.world import World

REPORT = (7, 0x057F)


def test_who_is_continued_between_two_questions_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is asked first: by the second question, it has come out of its stop and reported."""
    world, asked, heard = World(), [], []
    stopped = world.new(7, Member("P", 7, 1000, None, 0))
    world.let(stopped, Stand.STOPPED)

    def stat(tid: int) -> list[str]:
        asked.append(tid)
        return ["t", "1", "7", "7"]

    def wait(tid: int, *, block: bool = True) -> tuple[int, int] | None:
        asked.append(tid)
        return REPORT if len(asked) > 1 else None

    monkeypatch.setattr(listening.proc, "stat", stat)
    monkeypatch.setattr(listening.ptrace, "wait", wait)
    monkeypatch.setattr(listening, "hear", lambda loop, report: heard.append(report))
    run = SimpleNamespace(world=world, threaded=set())
    listening.until_quiet(SimpleNamespace(run=run, loose=False))
    assert heard == [REPORT]


def test_who_sleeps_until_the_child_of_its_vfork_has_gone_its_way_is_not_awaited_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On a busy machine it may be found on its way to bed each time that somebody looks: then it is waited for."""
    world = World()
    parent = world.new(7, Member("P", 7, 1000, None, 0))
    parent.unfinished_birth = True
    monkeypatch.setattr(loop_module.proc, "state", lambda tid: "D")
    loop = loop_module.Loop(SimpleNamespace(world=world), None, None, silent_alarms=1_000)
    assert loop.computing() == []
    assert parent.stand is Stand.INSIDE
