"""The journal as a History."""

from __future__ import annotations

from forklab.draw.lanes.picture import lanes_svg
from forklab.draw.trees.text import tree_text
from forklab.history import History
from forklab.services.journal import Record
from forklab.services.story import Stay, cuts, history, stays


def records(*events: dict[str, object], unit: str = "web.service") -> list[Record]:
    return [
        Record(100.0 + place, "" if event["is"] == "Manager" else unit, "", event=event)
        for place, event in enumerate(events)
    ]


BEGIN = ({"is": "Manager", "pid": 1}, {"is": "Keeper", "pid": 2})
STARTED = {
    "is": "Started",
    "role": "main",
    "key": "ExecStart",
    "pid": 3,
    "arguments": ["sleep", "9"],
}


def test_manager_keeper_and_service_are_a_family() -> None:
    told = history(records(*BEGIN, STARTED, {"is": "Reaped", "pid": 3, "status": 15}))
    assert tree_text(told.tree()) == (
        "manager(1) ─ web's keeper(2) ─ web(3) killed by SIGTERM · reaped by web's keeper"
    )
    assert [event.t for event in told.events] == [0, 1, 2, 2, 3, 3]
    assert History.from_json(told.to_json()) == told
    assert "killed by SIGTERM" in lanes_svg(told)


def test_a_signal_goes_from_the_keeper_to_those_who_live() -> None:
    kill = {"is": "Kill", "signal": 15, "everybody": True}
    (sent,) = [e for e in history(records(*BEGIN, STARTED, kill)).events if e.kind == "sends"]
    assert (sent.process, sent.signal, sent.to) == ("web's keeper", "SIGTERM", "web")


def test_commands_and_runs_have_names_of_their_own() -> None:
    before = {**STARTED, "key": "ExecStartPre", "role": "control"}
    ended = {"is": "Reaped", "pid": 3, "status": 0}
    told = history(records(*BEGIN, before, ended, STARTED, ended, STARTED))
    assert [p.name for p in told.processes[2:]] == ["web ExecStartPre", "web", "web#2"]


def test_a_daemon_was_there_before_anybody_looked() -> None:
    control = {**STARTED, "role": "control"}
    told = history(records(*BEGIN, control, {"is": "Main", "pid": 4}))
    assert [(e.kind, e.process) for e in told.events][-1] == ("start", "web daemon")
    assert told.process("web daemon").parent == "web's keeper"
    assert told.family()["web's keeper"] == ["web"]  # nobody saw who forked it


def test_those_of_a_killed_keeper_are_adopted_by_the_manager() -> None:
    lost = ({"is": "Reaped", "pid": 2, "status": 9}, {"is": "Reaped", "pid": 3, "status": 9})
    told = history(records(*BEGIN, STARTED, *lost))
    assert told.tree()["web"].former == ("web's keeper",)
    assert told.tree()["web"].reaped_by == "manager"


def test_what_a_service_prints_is_its_output() -> None:
    said = Record(109.0, "web.service", "listening", 3)
    told = history([*records(*BEGIN, STARTED), said, Record(109.0, "web.service", "child's", 77)])
    assert [(e.process, e.text) for e in told.events if e.text] == [("web", "listening\n")]


def test_only_the_last_manager_of_a_journal_is_told_of() -> None:
    told = history([*records(*BEGIN, STARTED), *records(*BEGIN)])
    assert len(told.processes) == 2


def test_of_a_circle_the_edge_that_was_given_up() -> None:
    words = "Ordering cycle: a after b after c after a. Job b/start deleted to break it."
    assert cuts([Record(1.0, "a", words)]) == {("a", "b")}
    assert cuts(records(*BEGIN)) == set()


def test_how_long_a_unit_stood_how() -> None:
    states = [
        {"is": "State", "state": "", "active": a} for a in ("activating", "activating", "active")
    ]
    assert stays(records({"is": "Manager", "pid": 1}, *states)) == {
        "web.service": [Stay("activating", 1.0, 3.0), Stay("active", 3.0, None)]
    }
