"""Histories: facts in, trees of any moment out, to JSON and back."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forklab.history import (
    KERNEL,
    Event,
    History,
    HistoryBuilder,
    Node,
    Process,
    State,
    pids_from_1000,
)


@pytest.fixture
def orphan() -> History:
    """init - main - child: main dies first, the child is adopted, stopped, continued, killed, reaped."""
    builder = HistoryBuilder()
    builder.start(Process("init", 1, None, reaper=True), 0)
    builder.fork(Process("main", 1000, "init"), 0)
    builder.fork(Process("child", 1001, "main"), 1)
    builder.add("exit", "main", 2, status=3)
    builder.add("reparented", "child", 2, old="main", new="init")
    builder.add("reaped", "main", 2, by="init", status=3)
    builder.add("stopped", "child", 3, signal="SIGTSTP")
    builder.add("continued", "child", 4)
    builder.add("killed", "child", 5, signal="SIGTERM")
    builder.add("reaped", "child", 5, by="init", status=-15)
    return builder.history


def test_a_tree_is_what_one_would_have_seen_right_after_an_event(orphan: History) -> None:
    assert orphan.tree(4)["main"] == Node("main", 1000, "init", State.ZOMBIE, status=3)
    assert orphan.tree(6)["child"] == Node(
        "child", 1001, "init", State.STOPPED, former=("main",), signal="SIGTSTP"
    )
    assert orphan.tree()["child"] == Node(
        "child",
        1001,
        "init",
        State.REAPED,
        former=("main",),
        signal="SIGTERM",
        reaped_by="init",
    )


def test_a_process_waits_until_it_does_something_else() -> None:
    builder = HistoryBuilder()
    builder.start(Process("P", 1000, None), 0)
    builder.fork(Process("P.1", 1001, "P"), 0)
    builder.add("waits", "P", 0, child="P.1")
    builder.add("sends", "P.1", 0, signal="SIGUSR1", to="P")
    builder.add("signal", "P", 0, signal="SIGUSR1", sender="P.1")
    builder.add("waits", "P", 0)
    builder.add("exit", "P.1", 0, status=0)
    builder.add("reaped", "P.1", 0, by="P", status=0)
    parent = [builder.history.tree(n)["P"] for n in range(2, 8)]
    waiting, running = State.WAITING, State.RUNNING
    assert [node.state for node in parent] == [waiting, waiting, running, waiting, waiting, running]
    assert [node.waits_for for node in parent] == ["P.1", "P.1", None, None, None, None]


def test_a_wait_is_over_when_the_kernel_has_collected_the_last_child_for_whom_it_was() -> None:
    builder = HistoryBuilder()
    builder.start(Process("P", 1000, None), 0)
    for number in (1, 2, 3):
        builder.fork(Process(f"P.{number}", 1000 + number, "P"), 0)
    builder.add("waits", "P", 0)
    for number in (1, 2, 3):
        builder.add("exit", f"P.{number}", number, status=0)
        builder.add("reaped", f"P.{number}", number, by=KERNEL, status=0)
    history = builder.history
    assert [history.state_of("P", at=t) for t in (1, 2, 3)] == ["waiting", "waiting", "running"]
    assert history.tree()["P.1"].reaped_by == KERNEL
    for_one = [*history.events[:4], replace(history.events[4], child="P.2"), *history.events[5:]]
    history = History(history.processes, tuple(for_one))
    assert [history.state_of("P", at=t) for t in (1, 2)] == ["waiting", "running"]


def test_a_moment_is_asked_for_by_its_time(orphan: History) -> None:
    assert [orphan.state_of("main", at=t) for t in (0, 1.9, 2)] == ["running", "running", "reaped"]
    assert orphan.state_of("child", at=3) == "stopped"
    assert orphan.state_of("child") == "reaped"
    assert orphan.moment(-1) == -1
    with pytest.raises(KeyError, match="no process 'child'"):
        orphan.state_of("child", at=0.5)


def test_the_busiest_moment_is_the_last_at_which_most_live(orphan: History) -> None:
    assert orphan.events[orphan.busiest() + 1].kind == "exit"
    assert len(orphan.tree(orphan.busiest())) == 3
    assert History().busiest() == -1


def test_a_family_is_who_forked_whom_whoever_adopted_them_later(orphan: History) -> None:
    assert orphan.family() == {"init": ["main"], "main": ["child"], "child": []}
    alone = HistoryBuilder()
    alone.start(Process("init", 1, None, reaper=True), 0)
    alone.start(Process("P", 1000, "init"), 0)
    assert alone.history.family() == {"P": []}


def test_a_tree_knows_only_who_was_born_by_then(orphan: History) -> None:
    assert len(orphan.tree(-1)) == 0
    assert [node.name for node in orphan.tree(1)] == ["init", "main"]
    assert "child" not in orphan.tree(1)
    with pytest.raises(KeyError, match="no process 'child' in this tree: it has init, main"):
        orphan.tree(1)["child"]


def test_children_are_those_of_the_moment(orphan: History) -> None:
    tree = orphan.tree()
    assert [node.name for node in tree.children("init")] == ["main", "child"]
    assert tree.children("main") == ()
    assert [node.name for node in tree.roots()] == ["init"]
    assert tree["child"].adopted
    assert not tree["main"].adopted


def test_former_parents_are_kept_in_order() -> None:
    builder = HistoryBuilder()
    builder.start(Process("P", 1000, None), 0)
    builder.add("reparented", "P", 1, old="shell", new="subreaper")
    builder.add("reparented", "P", 2, old="subreaper", new="init")
    assert builder.history.tree()["P"].former == ("shell", "subreaper")


def test_whose_parent_is_not_in_the_tree_is_a_root() -> None:
    builder = HistoryBuilder()
    builder.start(Process("init", 999, None), 0)
    builder.fork(Process("main", 1000, "init"), 0)
    builder.add("reparented", "main", 1, old="init", new="outside")
    assert [node.name for node in builder.history.tree().roots()] == ["init", "main"]


def test_the_states_of_a_process_come_once_per_stretch(orphan: History) -> None:
    assert orphan.states_of("main") == ["running", "zombie", "reaped"]
    assert orphan.states_of("child") == ["running", "stopped", "running", "zombie", "reaped"]


def test_only_the_last_signal_of_a_process_counts() -> None:
    builder = HistoryBuilder()
    builder.start(Process("a", 1000, None), 0)
    builder.add("stopped", "a", 1, signal="SIGSTOP")
    builder.add("continued", "a", 2)
    assert builder.history.tree()["a"].signal is None
    builder.add("stopped", "a", 3, signal="SIGSTOP")
    builder.add("exit", "a", 4, status=0)  # nobody saw it continue
    assert builder.history.tree()["a"].signal is None


def test_an_event_of_another_story_gets_its_place_in_this_one() -> None:
    builder = HistoryBuilder()
    builder.start(Process("a", 1000, None), 0)
    builder.append(Event(0, 0.0, "exit", "a", status=1), 7)
    assert builder.history.events[1] == Event(1, 7, "exit", "a", status=1)


@pytest.mark.parametrize(
    ("kind", "extras", "words"),
    [
        ("vanished", {}, "no such kind of event: 'vanished'"),
        ("exit", {}, "exit needs status"),
        ("reaped", {"status": 0}, "reaped needs by"),
        ("exit", {"status": 0, "signal": "SIGTERM"}, "exit has no signal"),
    ],
)
def test_an_event_has_the_keys_of_its_kind(
    kind: str, extras: dict[str, int | str], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        Event.from_json({"n": 4, "t": 0, "kind": kind, "process": "a", **extras})


def test_the_json_form_is_that_of_the_contract(orphan: History) -> None:
    form = orphan.to_json()
    assert form["version"] == 1
    assert form["processes"][:2] == [
        {"name": "init", "pid": 1, "parent": None, "reaper": True},
        {"name": "main", "pid": 1000, "parent": "init"},
    ]
    assert form["events"][2:4] == [
        {"n": 2, "t": 1, "kind": "fork", "process": "main", "child": "child"},
        {"n": 3, "t": 2, "kind": "exit", "process": "main", "status": 3},
    ]


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"version": 2, "processes": [], "events": []},
        {"version": 1, "events": []},
        {"version": 1, "processes": [{"name": "a", "shoe size": 7}], "events": []},
        {"version": 1, "processes": [], "events": [{"n": 0}]},
    ],
)
def test_what_is_not_a_history_is_refused(form: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="history"):
        History.from_json(form)


NAMES = st.text(min_size=1, max_size=5)
SIGNALS = st.sampled_from(["SIGTERM", "SIGKILL", "SIGCHLD"])
EXTRAS = {
    "exec": {"argv": st.lists(st.text(), max_size=3).map(tuple)},
    "exit": {"status": st.integers(0, 255)},
    "killed": {"signal": SIGNALS},
    "reaped": {"by": NAMES, "status": st.integers(-64, 255)},
    "reparented": {"old": NAMES, "new": NAMES},
    "signal": {"signal": SIGNALS, "sender": st.none() | NAMES},
    "stopped": {"signal": st.none() | SIGNALS},
    "continued": {},
    "output": {"text": st.text()},
}


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Any processes and events; it need not make sense as a story."""
    builder = HistoryBuilder()
    builder.start(Process(draw(NAMES), draw(st.integers(1)), None, draw(st.booleans())), 0)
    for _ in range(draw(st.integers(0, 3))):
        builder.fork(Process(draw(NAMES), draw(st.integers(1)), draw(NAMES)), draw(st.floats(0, 9)))
    for _ in range(draw(st.integers(0, 8))):
        kind = draw(st.sampled_from(sorted(EXTRAS)))
        extras = {key: draw(value) for key, value in EXTRAS[kind].items()}
        builder.add(kind, draw(NAMES), draw(st.floats(0, 9)), **extras)
    return builder.history


@given(histories())
def test_every_history_survives_json(history: History) -> None:
    assert History.from_json(json.loads(json.dumps(history.to_json()))) == history


def test_pids_are_the_lectures() -> None:
    assert pids_from_1000(["P", "P.1"]) == {"P": 1000, "P.1": 1001}
