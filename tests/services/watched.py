"""What has to be so at every step of a manager, whatever happens: one judge for random and for all schedules."""

from __future__ import annotations

from collections.abc import Sequence

from forklab.services.graph import DOWN, UP, Kind
from forklab.services.life import Kill, Run
from forklab.services.manager import Check, Deed, Finished, Manager, Task
from forklab.services.unit import Relation

_FIRST = ("ExecStartPre", "ExecStart")
_BRINGS_JOBS = ("Triggering OnFailure=", "Unit is bound to an inactive unit.")


def starts(before: Manager, after: Manager, deeds: Sequence[Deed]) -> list[str]:
    """The units whose first process is started in this step."""
    return [
        deed.unit
        for deed in deeds
        if isinstance(deed.effect, Run)
        and deed.effect.key in _FIRST
        and before.life(deed.unit).state not in ("start-pre", "start")
    ]


def check_step(before: Manager, after: Manager, deeds: Sequence[Deed]) -> None:
    """Raises AssertionError."""
    graph = after.graph
    pending = _pending(before, after, deeds)
    for name in starts(before, after, deeds):
        assert not before.leaving, f"{name} is started during the shutdown"
        for other in graph.whom(Relation.BINDS_TO, name) & graph.before(name):
            assert after.life(other).active in UP, f"{name} starts, and {other} is down"
    for name in _begin_to_start(before, after, deeds):
        for other in graph.before(name) - {name}:
            assert other not in pending, f"{name} starts before {pending[other].job} is done"
    let_go = {deed.unit for deed in deeds if "does not wait" in getattr(deed.effect, "text", "")}
    for name in _begin_to_stop(before, after, deeds) - let_go:
        for other in graph.after(name) - {name}:
            waits = other in pending and pending[other].kind in (Kind.STOP, Kind.RESTART)
            assert not waits, f"{name} stops before {pending[other].job} is done"


def _pending(before: Manager, after: Manager, deeds: Sequence[Deed]) -> dict[str, Task]:
    """The jobs that there were all the time while others began, and still are.

    All jobs of a step come before the first of them runs, but those that others' failures and ends bring about.
    """
    told = [getattr(deed.effect, "text", "") for deed in deeds]
    more = any(text.startswith(_BRINGS_JOBS) for text in told)
    return {
        name: task
        for name, task in after.tasks.items()
        if not more or (name in before.tasks and before.tasks[name].identity is task.identity)
    }


def _begin_to_start(before: Manager, after: Manager, deeds: Sequence[Deed]) -> set[str]:
    """Whose job to start runs now. Conditions are asked for first, and jobs may come before they are answered."""
    asked = {deed.unit for deed in deeds if isinstance(deed.effect, Check)}
    at_once = {
        name for name in starts(before, after, deeds) if not after.graph.units[name].conditions
    }
    return asked | at_once


def _begin_to_stop(before: Manager, after: Manager, deeds: Sequence[Deed]) -> set[str]:
    """Whoever is stopped because somebody wants it, and not by its own end."""
    return {
        deed.unit
        for deed in deeds
        if (isinstance(deed.effect, Kill) or _is_stop(deed))
        and before.life(deed.unit).active == "active"
        and deed.unit in after.tasks
        and after.tasks[deed.unit].running
        and not (deed.unit in before.tasks and before.tasks[deed.unit].running)
    }


def _is_stop(deed: Deed) -> bool:
    return isinstance(deed.effect, Run) and deed.effect.key == "ExecStop"


def answered(deeds: Sequence[Deed]) -> list[int]:
    return [deed.effect.number for deed in deeds if isinstance(deed.effect, Finished)]


def check_rest(manager: Manager) -> None:
    """What has to be so when nothing goes on any more."""
    assert not manager.tasks, f"forgotten: {[str(task.job) for task in manager.tasks.values()]}"
    for name, life in manager.lives.items():
        assert life.active in ("active", *DOWN), f"{name} stays in {life.state}"
        for other in manager.graph.whom(Relation.BINDS_TO, name):
            up = life.active == "active"
            assert not up or manager.life(other).active not in DOWN, f"{name} outlives {other}"


def is_at_rest(manager: Manager) -> bool:
    resting = ("active", *DOWN)
    return not manager.tasks and all(life.active in resting for life in manager.lives.values())


def check_progress(before: Manager, after: Manager) -> None:
    """What has to be so where something goes on for ever: in a time longer than any limit, each job and state ends."""
    for name, task in after.tasks.items():
        same = name in before.tasks and before.tasks[name].identity is task.identity
        assert not same, f"forgotten: {task.job}"
    for name, life in after.lives.items():
        moved = life is not before.life(name) or life.active in ("active", *DOWN)
        assert moved, f"{name} stays in {life.state}"
