"""What is true of the ideal kernel after every program, sensible or not."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from random_actions import draw_action

from forklab.history import KERNEL, Event, History, HistoryBuilder, Process, State
from forklab.kernel.signals import signal_name
from forklab.model import (
    ANY_CHILD,
    Action,
    Kill,
    ModelError,
    Table,
    Wait,
    apply,
)

# Its steps: the table before, the action, the table after, what happened.
Program = list[tuple[Table, Action, Table, tuple[Event, ...]]]


@st.composite
def programs(draw: st.DrawFn) -> Program:
    table = Table.starting_with("init")
    steps: Program = []
    for _ in range(draw(st.integers(1, 40))):
        action = draw_action(draw, table, len(table) < 10)
        if action is None:
            break
        try:
            later, events = apply(table, action)
        except ModelError:
            continue
        steps.append((table, action, later, events))
        table = later
    if draw(st.booleans()):
        end = Kill(None, "init", "SIGKILL")
        later, events = apply(table, end)
        steps.append((table, end, later, events))
    return steps


@settings(max_examples=60)
@given(programs())
def test_every_process_appears_exactly_once_and_nobody_is_forgotten(
    program: Program,
) -> None:
    names = ["init"]
    for _, _, table, events in program:
        names += [event.child for event in events if event.child is not None]
        assert [entry.name for entry in table] == names


@settings(max_examples=60)
@given(programs())
def test_who_is_not_reaped_has_a_living_parent(
    program: Program,
) -> None:
    for _, _, table, _ in program:
        for entry in table:
            if entry.parent is not None and entry.state is not State.REAPED:
                assert not table[entry.parent].dead


@settings(max_examples=60)
@given(programs())
def test_nobody_is_reaped_twice_and_only_the_dead_are(
    program: Program,
) -> None:
    events = [event for step in program for event in step[3]]
    dead = [event.process for event in events if event.kind in ("exit", "killed")]
    reaped = [event.process for event in events if event.kind == "reaped"]
    assert len(set(dead)) == len(dead)
    assert len(set(reaped)) == len(reaped)
    assert set(reaped) <= set(dead)


@settings(max_examples=60)
@given(programs())
def test_a_zombie_disappears_only_if_its_parent_waits_or_does_not_want_to_know(
    program: Program,
) -> None:
    for before, action, table, events in program:
        for event in events:
            if event.kind != "reaped":
                continue
            assert event.by is not None
            if event.by == KERNEL:
                parent = table[event.process].parent
                assert parent is not None and "SIGCHLD" in before[parent].ignored
                continue
            waits = isinstance(action, Wait) and action.process == event.by
            waited = before[event.by].waits_for in (ANY_CHILD, event.process)
            end_of_namespace = table[event.by].pid1 and table[event.by].dead
            assert waits or waited or end_of_namespace
            assert end_of_namespace or table[event.process].parent == event.by


@settings(max_examples=60)
@given(programs())
def test_the_events_alone_tell_the_whole_table(
    program: Program,
) -> None:
    builder = HistoryBuilder()
    builder.start(Process("init", 1, None, reaper=True), 0)
    for _, _, _, events in program:
        for event in events:
            if event.child is not None:
                builder.fork(Process(event.child, 0, event.process), 0)
            else:
                builder.append(event, 0)
    history = builder.history
    tree, table = history.tree(), program[-1][2] if program else Table.starting_with("init")
    for entry in table:
        node = tree[entry.name]
        state = State.RUNNING if entry.state is State.WAITING else entry.state
        assert (node.state, node.parent, node.reaped_by) == (state, entry.parent, entry.reaped_by)
        killer = (
            signal_name(-entry.status) if entry.status is not None and entry.status < 0 else None
        )
        assert (node.status, node.signal) == (
            entry.status if killer is None else None,
            killer or entry.stopped_by,
        )
    assert History.from_json(history.to_json()) == history


@settings(max_examples=60)
@given(programs())
def test_a_table_never_changes(
    program: Program,
) -> None:
    for before, action, table, events in program:
        copy = replace(before, entries=dict(before.entries), foreground=dict(before.foreground))
        assert apply(before, action) == (table, events)
        assert before == copy
