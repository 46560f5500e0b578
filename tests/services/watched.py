"""What has to be so at every step of a manager, whatever happens: one judge for random and for all schedules."""

from __future__ import annotations

from collections.abc import Sequence

from forklab.services.graph import DOWN, UP, Kind
from forklab.services.life import Kill, Run
from forklab.services.manager import Check, Deed, Finished, Manager
from forklab.services.unit import Relation

_FIRST = ("ExecStartPre", "ExecStart")


def starts(before: Manager, after: Manager, deeds: Sequence[Deed]) -> list[str]:
    """The units whose first process is started in this step."""
    return [
        deed.unit
        for deed in deeds
        if isinstance(deed.effect, Run)
        and deed.effect.key in _FIRST
        and (
            before.life(deed.unit).active in DOWN or before.life(deed.unit).state == "auto-restart"
        )
    ]


def check_step(before: Manager, after: Manager, deeds: Sequence[Deed]) -> None:
    """Raises AssertionError."""
    graph = after.graph
    begun = {deed.unit for deed in deeds if isinstance(deed.effect, Check | Run)}
    lasting = {
        name: task
        for name, task in after.tasks.items()
        if name in before.tasks
        and before.tasks[name].kind == task.kind
        and not (before.tasks[name].running and name in begun)  # that is another job of this kind
    }
    for name in starts(before, after, deeds):
        assert not before.leaving, f"{name} is started during the shutdown"
        for other in graph.before(name) - {name}:
            if after.life(other).active in UP:
                continue  # it has started in this step, and been asked for once more by a failure
            assert other not in lasting, f"{name} starts before {lasting[other].job} is done"
        for other in graph.whom(Relation.BINDS_TO, name) & graph.before(name):
            assert after.life(other).active in UP, f"{name} starts, and {other} is down"
    let_go = {deed.unit for deed in deeds if "does not wait" in getattr(deed.effect, "text", "")}
    for name in _begin_to_stop(before, after, deeds) - let_go:
        for other in graph.after(name) - {name}:
            waits = other in lasting and lasting[other].kind in (Kind.STOP, Kind.RESTART)
            assert not waits, f"{name} stops before {lasting[other].job} is done"


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
