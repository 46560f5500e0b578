"""The trees that the drawing tests look at, built as histories, and any tree at all for Hypothesis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from forklab.history import HistoryBuilder, Node, Process, Remark, State, Tree

Step = tuple[str, str, dict[str, Any]]


def fork(parent: str, *children: str) -> list[Step]:
    return [("fork", parent, {"child": child}) for child in children]


def ends(*names: str, status: int = 0) -> list[Step]:
    return [("exit", name, {"status": status}) for name in names]


def reaps(by: str, *names: str, status: int = 0) -> list[Step]:
    return [("reaped", name, {"by": by, "status": status}) for name in names]


def adopts(new: str, **old_of: str) -> list[Step]:
    return [("reparented", name, {"old": old, "new": new}) for name, old in old_of.items()]


def tree_of(*groups: list[Step], root: str = "init", root_pid: int = 1) -> Tree:
    """The tree at the end of a history: the root, a reaper, starts; then the steps; pids count from 1000."""
    builder = HistoryBuilder()
    builder.start(Process(root, root_pid, None, reaper=True), 0)
    pid = 999
    for t, (kind, name, extras) in enumerate((step for group in groups for step in group), start=1):
        if kind == "fork":
            pid += 1
            builder.fork(Process(extras["child"], pid, name), t)
        else:
            builder.add(kind, name, t, **extras)
    return builder.history.tree()


def row(stem: str, count: int) -> list[str]:
    return [f"{stem}{number}" for number in range(1, count + 1)]


ANY_CHILD = Remark(State.WAITING, "waiting for any child")

# One of each kind.
MIXED = tree_of(
    fork("init", "main"),
    fork("main", "worker"),
    fork("worker", "child"),
    fork("main", "logger", "helper"),
    ends("worker", status=3),
    adopts("init", child="worker"),
    [("stopped", "logger", {"signal": "SIGTSTP"})],
    ends("helper"),
    reaps("main", "helper"),
)
MIXED_REMARKS = {"init": ANY_CHILD}

# An orphan that ends: what should be, and what an init does that waits for main alone.
_ORPHAN = [
    *fork("init", "main"),
    *fork("main", "worker"),
    *fork("worker", "child"),
    *ends("worker"),
    *adopts("init", child="worker"),
    *reaps("main", "worker"),
    *ends("child"),
]
EXPECTED = tree_of(_ORPHAN, reaps("init", "child"))
EXPECTED_REMARKS = {"init": ANY_CHILD}
OBSERVED = tree_of(_ORPHAN)
OBSERVED_REMARKS = {
    "init": Remark(State.WAITING, "asleep in waitpid(1000)"),
    "child": Remark(unexpected="should be reaped by init"),
}

# Crowds.
FAN = tree_of(fork("init", "main"), fork("main", *row("w", 30)))
_NAMES = [first + second for first in "bdgkmp" for second in "aeiou"]  # no row: nothing to fold
CROWD = tree_of(
    fork("init", "main"),
    fork("main", *_NAMES),
    ends(*_NAMES[::3]),
    reaps("main", *_NAMES[::3]),
    ends(*_NAMES[1::3], status=1),
)
CHAIN = tree_of(*(fork(f"c{n - 1}" if n else "init", f"c{n}") for n in range(30)))


def _five_forks() -> Tree:
    steps: list[Step] = []
    born = {"P": 0}
    for _ in range(5):
        for name in list(born):
            born[name] += 1
            born[f"{name}.{born[name]}"] = 0
            steps += fork(name, f"{name}.{born[name]}")
    return tree_of(steps, root="P", root_pid=1000)


FIVE_FORKS = _five_forks()
_WORKERS, _ORPHANS = row("w", 20), row("g", 20)
_TWENTY = [
    *fork("init", "main"),
    *fork("main", *_WORKERS),
    *(step for w, g in zip(_WORKERS, _ORPHANS, strict=True) for step in fork(w, g)),
]
PAIRS = tree_of(_TWENTY)
_ADOPTED = [
    *_TWENTY,
    *ends(*_WORKERS),
    *adopts("init", **dict(zip(_ORPHANS, _WORKERS, strict=True))),
    *reaps("main", *_WORKERS),
]
TWENTY_ORPHANS = tree_of(_ADOPTED)
TWO_FORGOTTEN = tree_of(
    _ADOPTED, ends(*_ORPHANS), reaps("init", *(g for g in _ORPHANS if g not in ("g7", "g8")))
)
FORGOTTEN_REMARKS = {g: Remark(unexpected="should be reaped by init") for g in ("g7", "g8")}

ALL: Mapping[str, tuple[Tree, Mapping[str, Remark]]] = {
    "mixed": (MIXED, MIXED_REMARKS),
    "expected": (EXPECTED, EXPECTED_REMARKS),
    "observed": (OBSERVED, OBSERVED_REMARKS),
    "fan": (FAN, {}),
    "crowd": (CROWD, {}),
    "chain": (CHAIN, {}),
    "five forks": (FIVE_FORKS, {}),
    "pairs": (PAIRS, {}),
    "twenty orphans": (TWENTY_ORPHANS, {}),
    "two forgotten": (TWO_FORGOTTEN, FORGOTTEN_REMARKS),
}

ANY_TEXT = st.text(max_size=30)


@st.composite
def nodes(draw: st.DrawFn, name: str = "worker") -> Node:
    """A process in any state that a history can bring about."""
    state = draw(st.sampled_from([s for s in State if s is not State.WAITING]))
    ended = state in (State.ZOMBIE, State.REAPED)
    killed = draw(st.booleans())
    signal = draw(st.sampled_from(["SIGKILL", "SIGTSTP"]))
    return Node(
        name,
        draw(st.integers(1, 4_000_000)),
        "main",
        state,
        draw(st.booleans()),
        draw(st.sampled_from([(), ("old",), ("old", "older")])),
        status=draw(st.integers(0, 255)) if ended and not killed else None,
        signal=signal if (ended and killed) or state is State.STOPPED else None,
        reaped_by="main" if state is State.REAPED else None,
    )


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    """Any tree, with rows of processes that are alike now and then."""
    made = [Node("init", 1, None, State.RUNNING, reaper=True)]
    states = draw(st.lists(st.sampled_from([State.RUNNING, State.REAPED]), min_size=1, max_size=2))
    for number in range(draw(st.integers(0, 30))):
        parent = made[draw(st.integers(0, min(number, 6)))].name
        former = draw(st.sampled_from([(), (made[draw(st.integers(0, number))].name,)]))
        state = draw(st.sampled_from(states))
        reaped_by = parent if state is State.REAPED else None
        made.append(
            Node(f"w{number}", 1000 + number, parent, state, former=former, reaped_by=reaped_by)
        )
    return Tree(tuple(made))
