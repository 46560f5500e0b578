"""The lens against the pure model: random programs of forks, exits, waits and kills, run for real, step by step.

What a process does by itself (fork, exit, reap, send a signal) is done to the model as well; what the kernel makes of
it (zombies, orphans, who adopts them, what a parent is told) must then be what the lens has seen. FORKLAB_LENS_EXAMPLES
says how many programs to try; the default is right for every day.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from forklab.history import Event, History
from forklab.lens.record import record
from forklab.model import (
    Action,
    BecomeSubreaper,
    Exit,
    Fork,
    Kill,
    Table,
    Wait,
    apply,
)

EXAMPLES = int(os.environ.get("FORKLAB_LENS_EXAMPLES", "30"))
MOST_FORKS = 8

simple_acts = st.one_of(
    st.sampled_from(["w", "w", "n", "s1", "s2", "s3", "k1", "k2"]),
    st.integers(0, 9).map(lambda status: f"x{status}"),
)


def families(depth: int) -> st.SearchStrategy[str]:
    acts = (
        simple_acts
        if depth == 0
        else st.one_of(simple_acts, families(depth - 1).map("f({})".format))
    )
    return st.lists(acts, max_size=5).map("".join)


programs = (
    st.tuples(st.sampled_from(["", "r"]), families(3))
    .map("".join)
    .filter(lambda program: program.count("f") <= MOST_FORKS)
)


def replay(history: History, *, subreaper: bool) -> None:
    """Do to the model what the processes did. Raises AssertionError where it does not come to what the lens saw."""
    table = Table.starting_with("init")
    expected: Iterator[Event] = iter(())
    for event in history.events:
        if event.kind in ("exec", "waits", "sends", "output") or event.process == "init":
            continue
        told = next(expected, None)
        if told is None:
            action = action_of(event)
            table, events = apply(table, action)
            if isinstance(action, Fork) and action.child == "P" and subreaper:
                table, _ = apply(table, BecomeSubreaper("P"))
            expected = iter([e for e in events if e.signal != "SIGCHLD"])
            told = next(expected)
        assert facts(told) == facts(event), f"event {event.n}"
    assert next(expected, None) is None


def action_of(event: Event) -> Action:
    match event.kind:
        case "start":
            return Fork("init", event.process)
        case "fork" if event.child is not None:
            return Fork(event.process, event.child)
        case "exit" if event.status is not None:
            return Exit(event.process, event.status)
        case "signal" if event.signal is not None:
            return Kill(None, event.process, event.signal)  # who sent it may be dead by now
        case "reaped" if event.by is not None:
            return Wait(event.by, event.process)
    raise AssertionError(f"nobody does this by himself: {event}")


def facts(event: Event) -> dict[str, object]:
    """What it says, but for its number and its time; a start is init's fork."""
    told = event.to_json()
    if event.kind == "start":
        return {"kind": "fork", "process": "init", "child": event.process}
    return {key: value for key, value in told.items() if key not in ("n", "t", "sender")}


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(program=programs, seed=st.integers(0, 1000))
@example(program="f()k1", seed=1)  # the sender is gone when its signal arrives
@example(
    program="rf(f())wn", seed=2
)  # a child ends after its parent was free to look for it, and before it looks
def test_the_lens_sees_what_the_model_says(acts: str, program: str, seed: int) -> None:
    seen = record([acts, program], seed=seed)
    assert seen.ended_early is None
    replay(seen.history, subreaper=program.startswith("r"))
