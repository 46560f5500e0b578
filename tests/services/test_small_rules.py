"""Rules of the core that no recorded fact depends on: each was found by a change of one word that nobody noticed."""

from __future__ import annotations

from math import inf

import pytest

from forklab.services import life
from forklab.services.graph import Job, Kind
from forklab.services.keys import unit
from forklab.services.manager import Deed, Finished, Happened, Manager, Request, step
from forklab.services.unit import Service, Unit
from forklab.services.unitfile import Setting, settings

NAME = "a.service"


def read(*lines: str) -> tuple[Unit, list[str]]:
    text = "\n".join(["[Service]", "ExecStart=/x", *lines, ""]).encode()
    found = [line for line in settings(text, NAME) if isinstance(line, Setting)]
    made, problems = unit(NAME, found, {})
    return made, [each.text for each in problems]


def service(*lines: str) -> Service:
    made, problems = read(*lines)
    assert made.service and not problems
    return made.service


def after(*events: Request | life.Event, lines: tuple[str, ...]) -> tuple[Manager, list[Deed]]:
    """The manager, and the deeds of the last event."""
    made, problems = read(*lines)
    assert not problems
    manager, deeds = Manager.of({NAME: made}), ()
    for event in events:
        each = event if isinstance(event, Request) else Happened(NAME, event)
        manager, deeds = step(manager, each, 0.0)
    return manager, list(deeds)


START, STOP, RELOAD = (Job(NAME, kind) for kind in (Kind.START, Kind.STOP, Kind.RELOAD))


@pytest.mark.parametrize(("word", "signals"), [("TERM", [15, 18]), ("INT", [2, 18]), ("KILL", [9])])
def test_who_is_to_end_is_let_go_on_so_that_it_can(word: str, signals: list[int]) -> None:
    _, deeds = after(Request(1, START), Request(2, STOP), lines=(f"KillSignal={word}",))
    assert [d.effect.signal for d in deeds if isinstance(d.effect, life.Kill)] == signals


def test_a_time_limit_of_nothing_is_none() -> None:
    assert service("TimeoutStopSec=0").stop_timeout == inf
    assert service("TimeoutStopSec=0.5").stop_timeout == 0.5


@pytest.mark.parametrize("value", ["1.5.5", "5 x", "5 s,", "soon"])
def test_what_follows_a_span_of_time_makes_it_none(value: str) -> None:
    made, problems = read(f"TimeoutStopSec={value}")
    assert made.service and made.service.stop_timeout == 90.0
    assert problems


def test_exit_statuses_end_at_255() -> None:
    assert service("SuccessExitStatus=255").success.statuses == {255}
    assert read("SuccessExitStatus=256")[1]


@pytest.mark.parametrize("marks", ["-", "+", "!", "!!", "@-", "-@", ":-+"])
def test_marks_stand_before_a_command_in_any_order(marks: str) -> None:
    assert service(f"ExecStop={marks}/y z").commands["ExecStop"][0].path == "/y"


@pytest.mark.parametrize("marks", ["++", "+!", "!+", "!!!", "@@", "::"])
def test_a_mark_stands_there_once(marks: str) -> None:
    made, problems = read(f"ExecStop={marks}/y z")
    assert made.load == "bad-setting"
    assert problems


def test_a_reload_that_is_asked_for_while_one_runs_is_done_once_more() -> None:
    """What was changed since the first one read its files is read by the second."""
    lines = ("ExecReload=/r",)
    ended = life.Ended("control", 0)
    manager, deeds = after(
        Request(1, START), Request(2, RELOAD), Request(3, RELOAD), ended, lines=lines
    )
    assert manager.life(NAME).state == "reload"
    assert [d.effect.key for d in deeds if isinstance(d.effect, life.Run)] == ["ExecReload"]
    manager, deeds = step(manager, Happened(NAME, ended), 0.0)
    assert Deed(NAME, Finished(3, "done")) in deeds
    assert not manager.tasks


def test_who_waits_for_a_start_hears_that_somebody_has_stopped_it() -> None:
    _, deeds = after(Request(1, START), Request(2, STOP), lines=("Type=exec",))
    assert Deed(NAME, Finished(1, "canceled")) in deeds


def test_who_comes_back_by_itself_is_not_started_before() -> None:
    manager, deeds = after(
        Request(1, START),
        life.Ended("main", 1 << 8),
        life.Emptied(),
        Request(2, START),
        lines=("Restart=on-failure",),
    )
    assert manager.life(NAME).state == "auto-restart"
    assert not [d for d in deeds if isinstance(d.effect, life.Run | Finished)]
    manager, deeds = step(manager, Happened(NAME, life.TimeOver()), 1.0)
    assert Deed(NAME, Finished(2, "done")) in deeds


def test_a_reload_that_a_service_has_announced_ends_when_it_is_ready_and_not_before() -> None:
    ready, reloading, busy = (
        life.Notified({key: value})
        for key, value in (("READY", "1"), ("RELOADING", "1"), ("STATUS", "busy"))
    )
    manager, _ = after(Request(1, START), ready, reloading, busy, lines=("Type=notify",))
    assert manager.life(NAME).state == "reload"
    manager, _ = step(manager, Happened(NAME, ready), 0.0)
    assert manager.life(NAME).state == "running"
