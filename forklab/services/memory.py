"""Which units the manager knows, and what it has forgotten: files are read when somebody asks for a unit.

Whoever is not down is remembered as it was read, with all that it speaks of, until a daemon-reload. Of the others only
what their files say now counts, as systemd forgets those (CollectMode= in systemd.unit(5)).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from forklab.services.folder import Folders
from forklab.services.manager import Manager
from forklab.services.unit import Load
from forklab.services.unitfile import Problem


def remembered(manager: Manager) -> set[str]:
    """Those who are not down, or about to be something else, and all that they speak of."""
    lives = manager.lives.items()
    return _spoken_of(
        manager, {name for name, each in lives if each.active != "inactive"} | manager.tasks.keys()
    )


def asked_for(
    manager: Manager, folders: Folders, names: Collection[str]
) -> tuple[Manager, list[Problem]]:
    """The manager that knows these units, and what is wrong in the files that were read for it."""
    units = manager.graph.units
    new = {name for name in names if name not in units or units[name].load is Load.NOT_FOUND}
    down = [name for name in _spoken_of(manager, names) if manager.life(name).active == "inactive"]
    changed = {name for name in down if name in units and folders.is_outdated(units[name])}
    if changed:
        new |= changed - remembered(manager)
    found, problems = folders.load(sorted(new)) if new else ({}, [])
    read = {
        name: unit
        for name, unit in found.items()
        if name in units or unit.load is not Load.NOT_FOUND
        if name in new or name not in units or units[name].load is Load.NOT_FOUND
    }
    if all(units.get(name) == unit for name, unit in read.items()):
        return manager, []
    return manager.with_units({**units, **read}), problems


def _spoken_of(manager: Manager, names: Iterable[str]) -> set[str]:
    """These, and all that they mention, and so on."""
    found, new = set[str](), [*names]
    while new:
        if (name := new.pop()) not in found:
            found.add(name)
            if unit := manager.graph.units.get(name):
                for others in unit.relations.values():
                    new += others
    return found
