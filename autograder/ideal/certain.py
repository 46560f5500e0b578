"""What is certain of a play at rest, whatever right init it is played with: expectations, as a script says them.

Only what a deed has changed is told, and after a signal for init also who got none; `census` tells of everybody. An
expectation is written down only where there is no choice: how many SIGCHLD meet in one nobody can say, nor how many of
a signal that was sent several times without a pause.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from typing import NamedTuple

from autograder.ideal.foresight import Foresight
from autograder.ideal.perfect import PerfectPlay
from autograder.ideal.possible import STEM
from autograder.language.deeds import Deed, Dies, Sends, SendsOften, Thaws
from autograder.language.expectations import (
    Expectation,
    Gets,
    GetsExactly,
    GetsNothing,
    HasDied,
    HasExited,
    IsAlive,
    IsChild,
    IsIdle,
    IsReaped,
    IsStopped,
    IsZombie,
)
from autograder.language.roles import INIT, MAIN, OUTSIDE, Actors
from forklab.history import State
from forklab.kernel.signals import is_realtime
from forklab.kernel.statuses import in_shell
from forklab.model import Entry, Table

_STANDING: Mapping[State, Callable[[Actors], Expectation]] = {
    State.RUNNING: IsAlive,
    State.WAITING: IsAlive,
    State.STOPPED: IsStopped,
    State.ZOMBIE: IsZombie,
    State.REAPED: IsReaped,
}
_UNCOUNTED = ("SIGCHLD", "SIGCONT")


class _Fact(NamedTuple):
    """What holds of somebody: a sentence, and what stands in its other blanks."""

    sentence: Callable[..., Expectation]
    rest: tuple[Actors | str | int, ...] = ()


_Told = Iterator[tuple[str, _Fact]]  # of whom, and what


def after(deed: Deed, before: Table, play: PerfectPlay, foresight: Foresight) -> list[Expectation]:
    """What has come of a deed; `before` is how everybody stood until then.

    Once main is dead that is init's end, or that init is frozen: the others may fall with it at any moment.
    """
    if play.table[MAIN].dead:
        return [_end(play)]
    told: list[tuple[str, _Fact]] = []
    for entry in _cast(play.table):
        if entry.name in before:
            told += _changes(before[entry.name], entry, deed)
    concerns_init = isinstance(deed, Thaws) or (
        isinstance(deed, Sends | SendsOften) and INIT in deed.actors
    )
    for entry in _cast(play.table):
        if not entry.dead:
            told += _signals(entry, deed, foresight, also_none=concerns_init)
    if concerns_init:
        told.append((INIT, _Fact(IsAlive)))
    return _in_rows(told)


def census(play: PerfectPlay) -> list[Expectation]:
    """How everybody stands."""
    told = [(entry.name, _standing(entry)) for entry in _cast(play.table)]
    told += [
        (entry.name, _Fact(IsChild, (Actors(INIT),)))
        for entry in play.table.children(INIT)
        if entry.name != MAIN
    ]
    if play.frozen:
        return _in_rows(told)
    return [*_in_rows(told), IsIdle()]


def _cast(table: Table) -> Iterator[Entry]:
    return (entry for entry in table if entry.name not in (INIT, OUTSIDE))


def _end(play: PerfectPlay) -> Expectation:
    status = play.table[INIT].status
    return IsZombie(Actors(MAIN)) if status is None else HasExited(Actors(INIT), in_shell(status))


def _standing(entry: Entry) -> _Fact:
    return _Fact(_STANDING[entry.state])


def _changes(before: Entry, now: Entry, deed: Deed) -> _Told:
    if _standing(before) != _standing(now):
        yield now.name, _standing(now)
        if now.killer is not None and not before.dead and not isinstance(deed, Dies):
            yield now.name, _Fact(HasDied, (now.killer,))
    if before.parent != now.parent and now.reaped_by is None:
        yield now.name, _Fact(IsChild, (Actors(str(now.parent)),))


def _signals(entry: Entry, deed: Deed, foresight: Foresight, *, also_none: bool) -> _Told:
    """Whoever got something is asked about all of it: what is not asked for now would count the next time."""
    received = foresight.received(entry)
    for signal, times in received.items():
        counted = _is_counted(signal, entry, deed)
        yield entry.name, _Fact(GetsExactly, (signal, times)) if counted else _Fact(Gets, (signal,))
    if also_none and not received:
        yield entry.name, _Fact(GetsNothing)


def _is_counted(signal: str, entry: Entry, deed: Deed) -> bool:
    """Whether its handler has run as often as the signal came, and that could only be so often."""
    handled = signal in entry.caught and signal not in entry.blocked and not entry.stopped
    often = isinstance(deed, SendsOften) and not is_realtime(signal)
    return handled and not often and signal not in _UNCOUNTED


def _in_rows(told: Iterable[tuple[str, _Fact]]) -> list[Expectation]:
    """As sentences. What holds of actors whose numbers follow each other is said of all of them at once."""
    names: dict[_Fact, list[str]] = {}
    for name, fact in told:
        names.setdefault(fact, []).append(name)
    return [fact.sentence(row, *fact.rest) for fact, those in names.items() for row in _rows(those)]


def _rows(names: list[str]) -> Iterator[Actors]:
    """Of names in the order of their numbers."""
    numbers = [int(name.removeprefix(STEM)) for name in names if name not in (INIT, MAIN)]
    yield from (Actors(name) for name in names if name in (INIT, MAIN))
    for _, run in groupby(enumerate(numbers), key=lambda item: item[1] - item[0]):
        row = [number for _, number in run]
        one = len(row) == 1
        yield Actors(f"{STEM}{row[0]}") if one else Actors(STEM, row[0], row[-1])
