"""Random programs for the model: actions that some process could try, also foolish ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from forklab.history import State
from forklab.model import (
    Accept,
    Action,
    BecomeSubreaper,
    Block,
    Catch,
    Default,
    Exec,
    Exit,
    Fork,
    Ignore,
    Kill,
    KillGroup,
    ModelError,
    SetGroup,
    StartSession,
    Table,
    Unblock,
    Wait,
    apply,
)

Draw = Callable[[st.SearchStrategy[Any]], Any]

# Of each default action at least one. SIGINT, SIGPIPE and SIGXFSZ are not among them: a real process that plays these
# programs in Python has arrangements of its own for those.
SIGNALS = (
    *("SIGHUP", "SIGUSR1", "SIGTERM", "SIGQUIT", "SIGKILL"),
    *("SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGCONT", "SIGCHLD", "SIGWINCH"),
)
LIKELY = (
    *("fork", "fork", "fork", "exit", "exit", "wait", "wait"),
    *("kill", "kill", "catch", "ignore", "block", "group"),
)
RARE = (
    *("exec", "default", "unblock", "accept", "kill_group", "kill_group"),
    *("setgroup", "setsid", "subreaper", "outside"),
)


def draw_action(draw: Draw, table: Table, may_fork: bool) -> Action | None:
    """Something that one of the processes could try now, sensible or not; None if nobody can act.

    init never exits and is not killed: that is the end of the play.
    """
    able = [entry.name for entry in table if entry.state is State.RUNNING]
    if not able:
        return None
    everybody = [entry.name for entry in table]
    actor = draw(st.sampled_from(able))
    signal = st.sampled_from(SIGNALS)
    kind = draw(st.sampled_from(LIKELY * 2 + RARE))
    match kind:
        case "exit" if actor != "init":
            return Exit(actor, draw(st.integers(0, 300)))
        case "wait":
            child = draw(st.sampled_from([None, *everybody]))
            return Wait(actor, child, block=draw(st.booleans()))
        case "kill":
            return Kill(actor, draw(st.sampled_from(everybody)), draw(signal))
        case "outside":
            return Kill(None, "init", draw(signal.filter(lambda name: name != "SIGKILL")))
        case "kill_group":
            group = draw(st.sampled_from(everybody))
            if group != "init" or table[actor].group == "init":
                return KillGroup(actor, group, draw(signal))
        case "default" | "ignore" | "catch":
            change = {"default": Default, "ignore": Ignore, "catch": Catch}[kind]
            return change(actor, draw(signal))
        case "block" | "unblock":
            return (Block if kind == "block" else Unblock)(actor, frozenset({draw(signal)}))
        case "accept":
            return Accept(actor, draw(signal))
        case "setgroup":
            target, group = (draw(st.sampled_from(everybody)) for _ in range(2))
            return SetGroup(actor, target, group)
        case "group":
            return SetGroup(actor, actor, actor)
        case "setsid":
            return StartSession(actor)
        case "subreaper":
            return BecomeSubreaper(actor)
        case "exec":
            return Exec(actor, ("actor",))
    return Fork(actor, f"p{len(table)}") if may_fork else StartSession(actor)


def depends_on_luck(table: Table, action: Action) -> bool:
    """Whether the kernel is free to let it end in several ways: deaths at one blow may come in any order.

    It shows if somebody waits or lets its children vanish meanwhile, or if several of the dead leave children.
    """
    try:
        _, events = apply(table, action)
    except ModelError:
        return False
    dead = [event.process for event in events if event.kind in ("exit", "killed")]
    watched = any(entry.waits_for or "SIGCHLD" in entry.ignored for entry in table)
    leaving = sum(bool(table.children(name)) for name in dead)
    return len(dead) > 1 and (watched or leaving > 1)
