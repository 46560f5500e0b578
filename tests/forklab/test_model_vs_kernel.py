"""The model against the real kernel: the same random programs, step by step, must leave the same processes.

FORKLAB_KERNEL_EXAMPLES says how many programs to try; the default is right for every day.
"""

from __future__ import annotations

import os
from collections import Counter

import pytest
from corner_programs import PROGRAMS
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from random_actions import SIGNALS, depends_on_luck, draw_action
from real_kernel import SEATS, RealKernel, real_kernel

from forklab.history import Event, State
from forklab.model import (
    Action,
    Entry,
    Exec,
    Exit,
    Fork,
    Kill,
    ModelError,
    Table,
    Wait,
    apply,
)

pytestmark = pytest.mark.usefixtures("pid_namespaces")

EXAMPLES = int(os.environ.get("FORKLAB_KERNEL_EXAMPLES", "40"))
LONGEST = 20  # actions of a random program


class Duel:
    """The model and the kernel side by side: each action is done by both, then they must agree on everything."""

    def __init__(self, kernel: RealKernel) -> None:
        self.kernel = kernel
        self.table = Table.starting_with("init")
        self._waits: dict[str, int] = {}
        self._caught: dict[str, Counter[str]] = {"init": Counter()}

    def do(self, action: Action) -> None:
        try:
            table, events = apply(self.table, action)
        except ModelError as refusal:
            assert refusal.errno, f"{action} makes no sense: {refusal}"
            number = self.kernel.do(action)
            assert self.kernel.result(number) == refusal.errno, action
        else:
            number = self.kernel.do(action)
            if not isinstance(action, Wait):
                assert not isinstance(self.kernel.result(number), str), f"{action} is refused"
            self.table = table
            self._count(action, events)
            self._compare_waits(action, number, events)
        for entry in self.table:
            self._compare(entry)

    def end(self, status: int) -> None:
        """init exits; the namespace ends with it."""
        for entry in self.table:
            if entry.state is State.RUNNING:
                told = self.kernel.caught(entry.name)
                assert (
                    Counter(told) - Counter(["SIGCHLD"] * told.get("SIGCHLD", 0))
                    == self._caught[entry.name]
                )
        if self.table["init"].state is not State.RUNNING:
            return
        self.table, _ = apply(self.table, Exit("init", status))
        self.kernel.do(Exit("init", status))
        assert self.kernel.outcome() == status
        assert not self.table.descendants("init")

    def _count(self, action: Action, events: tuple[Event, ...]) -> None:
        """Which handlers have run. How many SIGCHLD meet in one is a matter of luck."""
        if isinstance(action, Fork):
            self._caught[action.child] = Counter()
        if isinstance(action, Exec):
            self._caught[action.process] = Counter()
        for event in events:
            entry = self.table[event.process]
            if event.kind == "signal" and event.signal in entry.caught - {"SIGCHLD"}:
                self._caught[event.process][event.signal] += 1

    def _compare_waits(self, action: Action, number: int, events: tuple[Event, ...]) -> None:
        if isinstance(action, Wait):
            self._waits[action.process] = number
        for process in list(self._waits):
            entry = self.table[process]
            if entry.waits_for is not None:
                assert self.kernel.result(self._waits[process]) is None
                continue
            asked = self._waits.pop(process)
            if entry.dead:
                continue
            mine = [event for event in events if event.kind == "reaped" and event.by == process]
            if mine:
                expected: object = [self.kernel.pids[mine[-1].process], mine[-1].status]
            else:
                expected = [0, 0] if isinstance(action, Wait) and not action.block else "ECHILD"
            assert self.kernel.result(asked) == expected, (process, action)

    def _compare(self, entry: Entry) -> None:
        real = self.kernel.look(entry.name)
        if entry.state is State.REAPED:
            assert real is None, f"{entry.name} should be gone"
            return
        assert real is not None, f"{entry.name} should be there still"
        pid = self.kernel.pids
        state = State.RUNNING if entry.state is State.WAITING else entry.state
        parent = pid[entry.parent] if entry.parent else 0
        assert (real.state, real.parent, real.group, real.session) == (
            state,
            parent,
            pid[entry.group],
            pid[entry.session],
        ), entry.name
        if entry.dead:
            assert real.status == entry.status, entry.name
            return
        ours = {
            "SigBlk": entry.blocked,
            "SigIgn": entry.ignored,
            "SigCgt": entry.caught,
            "ShdPnd": entry.pending_signals,
        }
        known = frozenset(SIGNALS)
        assert {key: real.masks[key] & known for key in ours} == ours, entry.name


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_kernel_agrees_about_the_corners(name: str) -> None:
    with real_kernel() as kernel:
        duel = Duel(kernel)
        for action in PROGRAMS[name]:
            duel.do(action)
        duel.end(42)


def test_whoever_kills_pid_1_from_outside_kills_its_namespace() -> None:
    with real_kernel() as kernel:
        duel = Duel(kernel)
        duel.do(Fork("init", "a"))
        alive = kernel.everybody()
        kernel.kill_pid1()
        table, _ = apply(duel.table, Kill(None, "init", "SIGKILL"))
        assert table["a"].state is State.REAPED
        assert len(alive) == 2
        assert not any(process.exists() for process in alive)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.data())
def test_the_kernel_does_what_the_model_says(program: st.DataObject) -> None:
    with real_kernel() as kernel:
        duel = Duel(kernel)
        for _ in range(program.draw(st.integers(1, LONGEST), "length")):
            action = draw_action(program.draw, duel.table, len(duel.table) < SEATS)
            if action is None:
                break
            if not depends_on_luck(duel.table, action):
                duel.do(action)
        duel.end(program.draw(st.integers(0, 255), "status"))
