"""Any history that a HistoryBuilder can make, for Hypothesis."""

from __future__ import annotations

from hypothesis import strategies as st

from forklab.history import KERNEL, History, HistoryBuilder, Process

NAMES = st.text(max_size=12) | st.sampled_from(
    ["P", "<b>&\"'", "init", "a\x00b\n", "名前", "\ud800"]
)
SIGNALS = st.sampled_from(["SIGTERM", "SIGKILL", "SIGSTOP", "SIGRTMIN+1"])
STATUSES = st.integers(0, 255)


@st.composite
def histories(draw: st.DrawFn, most: int = 25) -> History:
    """Births and whatever else may happen, in any order; only who does it has been born before."""
    builder = HistoryBuilder()
    born: list[str] = []
    t = 0.0
    for number in range(draw(st.integers(0, most))):
        t += draw(st.sampled_from([0.0, 0.0, 0.0001, 0.5, 10.0]))
        kind = draw(st.sampled_from([*KINDS, "fork", "fork", "exit"])) if born else "start"
        whose = draw(st.sampled_from(born)) if born else ""
        if kind in ("start", "fork"):
            name = f"{draw(NAMES)}#{number}"
            process = Process(name, 1000 + number, whose or None, draw(st.booleans()))
            (builder.fork if kind == "fork" else builder.start)(process, t)
            born.append(name)
        else:
            required, optional = _keys(kind, born)
            builder.add(kind, whose, t, **draw(st.fixed_dictionaries(required, optional=optional)))
    return builder.history


KINDS = (
    *("start", "fork", "exec", "exit", "killed", "reaped", "reparented"),
    *("waits", "sends", "signal", "stopped", "continued", "output"),
)
Keys = dict[str, st.SearchStrategy[object]]


def _keys(kind: str, born: list[str]) -> tuple[Keys, Keys]:
    """What an event of this kind must tell and what it may."""
    somebody = st.sampled_from([*born, "somebody else"])
    required: dict[str, Keys] = {
        "exec": {"argv": st.lists(NAMES, max_size=3).map(tuple)},
        "exit": {"status": STATUSES},
        "killed": {"signal": SIGNALS},
        "reaped": {"by": somebody | st.just(KERNEL), "status": STATUSES | st.integers(-64, -1)},
        "reparented": {"old": somebody, "new": somebody},
        "sends": {"signal": SIGNALS, "to": somebody},
        "signal": {"signal": SIGNALS},
        "output": {"text": NAMES},
    }
    optional: dict[str, Keys] = {
        "waits": {"child": somebody},
        "signal": {"sender": somebody},
        "stopped": {"signal": SIGNALS},
    }
    return required.get(kind, {}), optional.get(kind, {})
