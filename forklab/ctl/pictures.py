"""Verbs that draw: units as a graph, a start-up in time, and what happened to all processes."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence, Set
from pathlib import Path

from forklab.ctl.context import Context, CtlError
from forklab.services import journal
from forklab.services.folder import full_name
from forklab.services.journal import Record
from forklab.services.place import JOURNAL
from forklab.services.story import Stay, cuts, history, stays
from forklab.services.unit import Relation, Unit

_DRAWN = tuple(relation for relation in Relation if relation is not Relation.BEFORE)
_MORE = 0.1  # of the start-up's time is shown behind its end


def graph(context: Context, names: list[str]) -> int:
    """DOT on standard output, or SVG in a file. Of some units: they, and all that they speak of."""
    from forklab.draw.units.graph import Tie, UnitBox, units_dot, units_svg

    units, _ = context.folders().everything()
    shown = _with_whom_they_name(units, [full_name(name) for name in names]) or set(units)
    states = (
        {} if context.asked.folder else {each["name"]: each for each in context.manager.states()}
    )
    boxes = [
        UnitBox(name, f"{states[name]['active']} ({states[name]['sub']})", states[name]["active"])
        if name in states
        else UnitBox(name)
        for name in sorted(shown)
    ]
    gone = set() if context.asked.folder else cuts(_records(context))
    ties = [Tie(*tie, cut=tie[0] == "After" and tie[1:] in gone) for tie in ties_of(units, shown)]
    if context.asked.svg is None:
        print(units_dot(boxes, ties), end="")
    else:
        try:
            _write(context.asked.svg, units_svg(boxes, ties))
        except RuntimeError as error:
            raise CtlError(f"{error}\nWithout --svg the graph is printed as DOT.") from None
    return 0


def ties_of(units: Mapping[str, Unit], shown: Set[str]) -> list[tuple[str, str, str]]:
    """What those that are shown say of each other: what, who, of whom. Before= is the After= of the other one."""
    pairs = {
        (relation.value, name, other)
        for name in units.keys() & shown
        for relation in _DRAWN
        for other in units[name][relation] & shown
    }
    pairs |= {
        ("After", other, name)
        for name in units.keys() & shown
        for other in units[name][Relation.BEFORE] & shown
    }
    return sorted(pairs)


def _with_whom_they_name(units: dict[str, Unit], names: list[str]) -> set[str]:
    found, new = set[str](), list(names)
    while new:
        name = new.pop()
        if name in names and name not in units:
            raise CtlError(f"Unit {name} not found.", 4)
        found.add(name)
        named = {other for relation in Relation for other in units[name][relation]}
        new += [other for other in named & units.keys() if other not in found]
    return found


def plot(context: Context, names: list[str]) -> int:
    from forklab.draw.units.timeline import Phase, Row, timeline_svg

    found = start_up(stays(_records(context)), [full_name(name) for name in names])
    rows = [Row(unit, tuple(Phase(*stay) for stay in all_of)) for unit, all_of in found]
    _write(context.asked.svg or "-", timeline_svg(rows, "How the units came up"))
    return 0


def start_up(
    found: Mapping[str, Sequence[Stay]], names: Sequence[str] = ()
) -> list[tuple[str, list[tuple[str, float, float]]]]:
    """How these units came up, all if none are named: their states until a little after the end of it."""
    begun = {unit: all_of[0].start for unit, all_of in found.items() if all_of}
    ends = [
        stay.end
        for all_of in found.values()
        for stay in all_of
        if stay.state == "activating" and stay.end is not None
    ]
    until = max([*ends, *begun.values(), 0.001]) * (1 + _MORE)
    return [
        (
            unit,
            [
                (stay.state, stay.start, min(until, stay.end or until))
                for stay in found.get(unit, [])
                if stay.start < until
            ],
        )
        for unit in names or sorted(begun, key=lambda unit: begun[unit])
    ]


def draw(context: Context, names: list[str]) -> int:
    """All processes of services: a tree in text, and what is asked for in files. Of some units: the keepers of them."""
    from forklab.draw.film.page import film_html
    from forklab.draw.lanes.picture import lanes_svg
    from forklab.draw.trees.picture import tree_svg
    from forklab.draw.trees.text import tree_text

    units = {full_name(name) for name in names}
    records = [each for each in _records(context) if not units or each.unit in units | {""}]
    told, asked = history(records), context.asked
    title = ", ".join(names) or "services"
    if "-" not in (asked.svg, asked.lanes, asked.film, asked.json):
        print(tree_text(told.tree()))
    try:
        if asked.svg:
            _write(asked.svg, tree_svg(told.tree()))
        if asked.film:
            _write(asked.film, film_html(told, title=title))
    except RuntimeError as error:
        raise CtlError(str(error)) from None
    if asked.lanes:
        _write(asked.lanes, lanes_svg(told, title))
    if asked.json:
        _write(asked.json, json.dumps(told.to_json(), indent=1) + "\n")
    return 0


def _records(context: Context) -> Sequence[Record]:
    path = context.asked.file or context.manager.place / JOURNAL
    try:
        return journal.whole(path)
    except OSError as error:
        raise CtlError(f"The journal {path} can't be read: {error.strerror}.") from None


def _write(name: str, text: str) -> None:
    if name == "-":
        sys.stdout.buffer.write(text.encode())
        return
    try:
        Path(name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise CtlError(f"{name} can't be written: {error.strerror}.") from None
