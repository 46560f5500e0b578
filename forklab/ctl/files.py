"""Verbs about unit files: they look into the manager's folders themselves, and tell it when they have changed some."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path

from forklab.ctl.context import Context, CtlError, some
from forklab.services.folder import Folders, Name, full_name
from forklab.services.installing import Installation, InstallError
from forklab.services.unit import Load, Relation, Unit

_UP = ("enabled", "static", "indirect", "alias", "generated", "linked")
_BRINGS = (Relation.REQUIRES, Relation.BINDS_TO, Relation.WANTS)


def enable(context: Context, names: list[str]) -> int:
    """All of them, or none."""
    some(names)
    full = [full_name(name) for name in names]
    try:
        links = _installation(context).enable(*full)
    except InstallError as error:
        raise CtlError(f"Failed to enable unit: {error}") from None
    context.tell(*(f"Created symlink {link}." for link in links))
    for name in full if not links else ():
        print(
            f"{name} has no [Install] section that says for whom it is: there is nothing to enable.",
            file=sys.stderr,
        )
    return _afterwards(context, "start", names)


def disable(context: Context, names: list[str]) -> int:
    """All of them, or none."""
    some(names)
    try:
        gone = _installation(context).disable(*map(full_name, names))
    except InstallError as error:
        raise CtlError(f"Failed to disable unit: {error}") from None
    context.tell(*(f'Removed "{path}".' for path in gone))
    return _afterwards(context, "stop", names)


def reenable(context: Context, names: list[str]) -> int:
    return max(disable(context, names), enable(context, names))


def mask(context: Context, names: list[str]) -> int:
    some(names)
    installation = _installation(context)
    for name in map(full_name, names):
        try:
            context.tell(f"Created symlink {installation.mask(name)} → /dev/null.")
        except InstallError as error:
            raise CtlError(f"Failed to mask unit: {error}") from None
    return _afterwards(context, "stop", names)


def unmask(context: Context, names: list[str]) -> int:
    some(names)
    installation = _installation(context)
    for name in map(full_name, names):
        context.tell(*(f'Removed "{path}".' for path in installation.unmask(name)))
    return _afterwards(context, "", names)


def is_enabled(context: Context, names: list[str]) -> int:
    some(names)
    installation = _installation(context)
    found = []
    for name in map(full_name, names):
        try:
            found.append(installation.state(name))
        except InstallError as error:
            print(f"Failed to get unit file state for {name}: {error}", file=sys.stderr)
            found.append("not-found")
        context.say(*[found[-1]] * (found[-1] != "not-found"))
    return 0 if any(state in _UP for state in found) else 1


def cat(context: Context, names: list[str]) -> int:
    folders = context.folders()
    for number, name in enumerate(map(full_name, names)):
        unit, _ = folders.read(name)
        if unit.load is Load.NOT_FOUND:
            raise CtlError(f"No files found for {name}.")
        if unit.load is Load.MASKED:
            print(f"# Unit {name} is masked.")
            continue
        for place, file in enumerate(unit.files or (str(folders.file_of(name)),)):
            print(*[""] * (number + place > 0), f"# {file}", sep="\n" if number + place else "")
            print(Path(file).read_text(errors="replace"), end="")
    return 0


def list_unit_files(context: Context, names: list[str]) -> int:
    folders = context.folders()
    installation = Installation.of(folders)
    found = sorted(
        {
            path.name
            for folder in folders.paths
            for path in Path(folder).iterdir()
            if path.name.endswith((".service", ".target"))
        }
    )
    width = max([len("UNIT FILE"), *map(len, found)])
    print(f"{'UNIT FILE':{width}} STATE")
    for name in found:
        print(f"{name:{width}} {installation.state(name)}")
    print(f"\n{len(found)} unit files listed.")
    return 0


def list_dependencies(context: Context, names: list[str]) -> int:
    units, _ = context.folders().everything()
    for name in map(full_name, names or ["default.target"]):
        print(name)
        _branch(name, _below(context, units), "", [name], context.asked)
    return 0


def _below(context: Context, units: dict[str, Unit]) -> dict[str, set[str]]:
    """Who stands below whom in the tree that is asked for."""
    asked = context.asked
    relations = (Relation.AFTER,) if asked.after or asked.before else _BRINGS
    below = {
        name: {other for relation in relations for other in unit[relation]}
        for name, unit in units.items()
    }
    if asked.after or asked.before:
        for name, unit in units.items():
            for other in unit[Relation.BEFORE]:
                below.setdefault(other, set()).add(name)
    if not (asked.reverse or asked.before):
        return below
    turned: dict[str, set[str]] = {}
    for name, others in below.items():
        for other in others:
            turned.setdefault(other, set()).add(name)
    return turned


def _branch(
    name: str,
    all_below: Mapping[str, set[str]],
    before: str,
    shown: list[str],
    asked: Namespace,
) -> None:
    """Depth first; a circle is cut where it closes. Of services only the whole tree (--all) shows whom they bring.

    `shown` are those above it; where no branches are drawn (--plain), all that there are so far: each comes once.
    """
    below = sorted(all_below.get(name, ()))
    for each in below:
        if asked.plain and each in shown:
            continue
        last = each == below[-1]
        branch, beside = ("└─", "  ") if last else ("├─", "│ ")
        branch = "  " if asked.plain else branch
        print(f"{before}{branch}{each}")
        closed = each in shown
        if asked.plain:
            shown.append(each)
        if not closed and (asked.all or each.endswith(".target")):
            deeper = before if asked.plain else before + beside
            _branch(each, all_below, deeper, shown if asked.plain else [*shown, each], asked)


def verify(context: Context, names: list[str]) -> int:
    """The units of a folder or of some files, or those that are named; status 1 if something is wrong."""
    folders, units = _what_to_verify(context, names)
    found, problems = folders.load(units) if units else folders.everything()
    for problem in problems:
        print(problem, file=sys.stderr)
    missing = [name for name in units if found[name].load is Load.NOT_FOUND]
    for name in missing:
        print(f"Unit {name} not found.", file=sys.stderr)
    return 1 if missing or not all(each.harmless for each in problems) else 0


def _what_to_verify(context: Context, names: list[str]) -> tuple[Folders, list[str]]:
    paths = [Path(name) for name in names]
    if paths and all(path.is_dir() for path in paths):
        return Folders(paths), []
    if paths and any("/" in name for name in names):
        return Folders(list(dict.fromkeys(path.parent for path in paths))), [p.name for p in paths]
    return context.folders(), [full_name(name) for name in names]


def _installation(context: Context) -> Installation:
    return Installation.of(context.folders())


def _afterwards(context: Context, verb: str, names: list[str]) -> int:
    context.reload()
    if verb and context.asked.now and not context.asked.folder:
        wanted = [name for name in names if not Name(full_name(name)).is_template]
        answer = context.manager.ask(verb, wanted, wait=True)
        print(*answer.words, sep="\n", end="\n" * bool(answer.words), file=sys.stderr)
        return answer.status
    return 0
