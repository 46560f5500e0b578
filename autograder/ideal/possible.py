"""What can be done next in a play, as far as the model knows: deeds after which only one thing can come.

    PerfectPlay -> deed

Each function below is a kind of deed. It draws one of its kind, or answers None if there is none now: nobody is able
to, or what comes of it would not be the same with every right init. POSIX leaves open in which order several deaths are
noticed, and the contract of an init in which order it passes on what came while it could not run: such a play has no
one course that is right. Main does not die here: that is the end of a play.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeVar

from autograder.ideal.perfect import PerfectPlay
from autograder.language.deeds import (
    Blocks,
    Catches,
    Continues,
    Deed,
    Dies,
    Exits,
    Forks,
    Freezes,
    Ignores,
    Reaps,
    Sends,
    SendsOften,
    StartsGroup,
    StartsSession,
    Stops,
    Thaws,
)
from autograder.language.every_signal import EVERY_SIGNAL
from autograder.language.roles import INIT, MAIN, OUTSIDE, Actors
from forklab.history import State
from forklab.kernel.signals import STOPPING, UNTOUCHABLE, DefaultAction, default_action
from forklab.model import Entry

# A number from 0 to below the one that is given; whoever looks for a smaller play looks for smaller numbers.
Chance = Callable[[int], int]
Kind = Callable[[PerfectPlay, Chance], Deed | None]

STEM: Final = "p"  # whoever is forked is called p1, p2 ...
_MOST_ALIVE = 10
_MOST = 60  # in a play
_LARGEST_BURST = 6
_MOST_TIMES = 5
_HOW_MUCH_MORE = 4
_FATAL = ("SIGKILL", "SIGTERM", "SIGHUP", "SIGSEGV")
_USUAL = (
    *("SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1", "SIGCONT", "SIGTSTP", "SIGCHLD", "SIGWINCH"),
    *("SIGQUIT", "SIGTTIN", "SIGRTMIN", "SIGRTMIN+1"),
)
_FATAL_ACTIONS = (DefaultAction.TERMINATE, DefaultAction.CORE)

_T = TypeVar("_T")


def pick(chance: Chance, candidates: Sequence[_T]) -> _T:
    return candidates[chance(len(candidates))]


def fork(play: PerfectPlay, chance: Chance) -> Deed | None:
    able = _able(play)
    if not able or len(living(play)) >= _MOST_ALIVE:
        return None
    parents = able + [name for name in able if name != MAIN]  # whose children may be orphans
    return Forks(_one(pick(chance, parents)), _one(_newcomer(play)))


def burst_of_forks(play: PerfectPlay, chance: Chance) -> Deed | None:
    """One forks several, or several fork one each."""
    room = min(_LARGEST_BURST, _MOST_ALIVE - len(living(play)))
    if room < 2 or not (able := _able(play)):
        return None
    first = len(play.table) - 2
    if (rows := _rows(able, most=room)) and chance(2):
        parents = pick(chance, rows)
        return Forks(parents, Actors(STEM, first, first + parents.count - 1))
    last = first + 1 + chance(room - 1)
    return Forks(_one(pick(chance, able)), Actors(STEM, first, last))


def exit_(play: PerfectPlay, chance: Chance) -> Deed | None:
    mortal = _mortal(play)
    return Exits(_one(pick(chance, mortal)), chance(256)) if mortal else None


def die(play: PerfectPlay, chance: Chance) -> Deed | None:
    mortal = _mortal(play)
    return Dies(_one(pick(chance, mortal)), pick(chance, _FATAL)) if mortal else None


def burst_of_deaths(play: PerfectPlay, chance: Chance) -> Deed | None:
    """Of actors who are not each other's parents: else it would matter who of them is first."""
    rows = [
        row
        for row in _rows(_mortal(play), most=_MOST_ALIVE)
        if not any(play.table[name].parent in tuple(row) for name in row)
    ]
    if not rows:
        return None
    row = pick(chance, rows)
    return Dies(row, pick(chance, _FATAL)) if chance(4) == 3 else Exits(row, chance(256))


def reap(play: PerfectPlay, chance: Chance) -> Deed | None:
    """Zombies first: who waits for the living can do nothing else meanwhile."""
    pairs = [
        (name, child)
        for name in _able(play)
        if "SIGCHLD" not in play.table[name].ignored
        for child in play.table.children(name)
    ]
    if not pairs:
        return None
    name, child = pick(chance, sorted(pairs, key=lambda pair: not pair[1].dead))
    return Reaps(_one(name), _one(child.name))


def disposition(play: PerfectPlay, chance: Chance) -> Deed | None:
    if not (able := _able(play)):
        return None
    main_first = [MAIN] * len(able) if MAIN in able else []  # half of it is about main
    actor, signal = _one(pick(chance, main_first + able)), _any_signal(chance)
    match chance(5):
        case 3:
            return Ignores(actor, signal)
        case 4:
            return Blocks(actor, signal)
    return Catches(actor, signal)


def group(play: PerfectPlay, chance: Chance) -> Deed | None:
    table = play.table
    able = [name for name in _able(play) if name not in (table[name].session, table[name].group)]
    return StartsGroup(_one(pick(chance, able))) if able else None


def session(play: PerfectPlay, chance: Chance) -> Deed | None:
    able = [name for name in _able(play) if not play.table.members(name)]
    return StartsSession(_one(pick(chance, able))) if able else None


def stop(play: PerfectPlay, chance: Chance) -> Deed | None:
    able = _able(play)
    return Stops(_one(pick(chance, able))) if able else None


def continue_(play: PerfectPlay, chance: Chance) -> Deed | None:
    stopped = [entry.name for entry in living(play) if entry.stopped]
    return Continues(_one(pick(chance, stopped))) if stopped else None


def send(play: PerfectPlay, chance: Chance) -> Deed | None:
    """To an actor."""
    entry = pick(chance, living(play))
    pool = [
        signal
        for signal in _signals_for([entry], chance)
        if entry.name != MAIN or not _kills(signal, entry)
    ]
    return _sent(pick(chance, pool), entry.name, [entry], chance) if pool else None


def send_to_init(play: PerfectPlay, chance: Chance) -> Deed | None:
    """Which passes it on to main's group. While it is frozen, by SIGSTOP, it gets nothing that has to do with that."""
    members = group_of_main(play)
    kept_away = UNTOUCHABLE | (STOPPING | {"SIGCONT"} if play.frozen else set())
    pool = [
        signal
        for signal in (*_signals_for(members, chance), "SIGCHLD")
        if signal not in kept_away
        and (signal == "SIGCHLD" or not _kills(signal, play.table[MAIN]))
        and not any(_is_told_while_it_stops(entry, signal, members) for entry in members)
    ]
    return _sent(pick(chance, pool), INIT, members, chance)


def freeze(play: PerfectPlay, chance: Chance) -> Deed | None:
    return None if play.frozen else Freezes()


def thaw(play: PerfectPlay, chance: Chance) -> Deed | None:
    return Thaws() if play.frozen and can_be_thawed(play) else None


def can_be_thawed(play: PerfectPlay) -> bool:
    """Whether only one thing can come of it.

    Thawing is a SIGCONT, which init may pass on as well: it wakes who is stopped, and takes away the stop signals that
    wait. And of several signals that came meanwhile each can be the first, which shows if one of them is the end of
    somebody. Once main is dead only its status counts.
    """
    if play.table[MAIN].dead:
        return True
    members = group_of_main(play)
    if any(_is_touched_by_cont(entry) for entry in members):
        return False
    waiting = play.table[INIT].pending_signals - {"SIGCHLD"}
    return len(waiting) < 2 or not any(
        _kills(signal, entry) for entry in members for signal in waiting
    )


# The first ones are the simplest: a smaller play is made of those. The next one takes the place of one that cannot be.
KINDS: Final[tuple[Kind, ...]] = (
    *(fork, exit_, stop, send_to_init, continue_, die, disposition, reap, send, group, session),
    *(thaw, burst_of_forks, burst_of_deaths, freeze),
    *(fork, exit_, disposition, exit_, send_to_init, exit_, thaw, burst_of_deaths, die, fork),
    *(send_to_init, exit_, continue_, disposition, send_to_init, exit_, thaw, fork, exit_),
    *(exit_, disposition, send_to_init, exit_, fork),
)


def living(play: PerfectPlay) -> list[Entry]:
    """The actors that are not dead, in the order of their birth."""
    return [entry for entry in play.table if not entry.dead and entry.name not in (INIT, OUTSIDE)]


def group_of_main(play: PerfectPlay) -> list[Entry]:
    """The living of main's process group."""
    return [entry for entry in play.table.members(MAIN) if not entry.dead]


def _able(play: PerfectPlay) -> list[str]:
    return [entry.name for entry in living(play) if entry.state is State.RUNNING]


def _mortal(play: PerfectPlay) -> list[str]:
    """Who can die now. Deaths that make orphans, or that are init's affair, are worth more: they stand here often."""
    able = [name for name in _able(play) if name != MAIN]
    matters = [n for n in able if play.table[n].parent == INIT or play.table.children(n)]
    return able + matters * _HOW_MUCH_MORE


def _one(name: str) -> Actors:
    return Actors(name)


def _newcomer(play: PerfectPlay) -> str:
    """The table has init, main and whoever is outside, too."""
    return f"{STEM}{len(play.table) - 2}"


def _rows(names: Iterable[str], most: int) -> list[Actors]:
    """Each two or more of these that have numbers in a row, the shortest ones first."""
    numbers = {int(name[len(STEM) :]) for name in names if name != MAIN}
    return [
        Actors(STEM, first, first + length - 1)
        for length in range(2, most + 1)
        for first in sorted(numbers)
        if numbers.issuperset(range(first, first + length))
    ]


def _any_signal(chance: Chance) -> str:
    return pick(chance, _USUAL) if chance(4) < 3 else pick(chance, EVERY_SIGNAL)


def _signals_for(entries: Sequence[Entry], chance: Chance) -> list[str]:
    """Mostly those that some of them have made an arrangement for; else a usual one, or any."""
    touched = sorted({s for entry in entries for s in entry.caught | entry.blocked | entry.ignored})
    if touched and chance(4) < 3:
        return touched
    return ["SIGKILL", "SIGSTOP", *_USUAL] if chance(4) < 3 else list(EVERY_SIGNAL)


def _sent(signal: str, name: str, targets: Sequence[Entry], chance: Chance) -> Deed:
    """Several at once only where it does not matter how many of them meet in one."""
    if chance(5) == 4 and all(_is_arranged_for(signal, entry) for entry in targets):
        return SendsOften(signal, _one(name), 2 + chance(_MOST_TIMES - 1))
    return Sends(signal, _one(name))


def _is_arranged_for(signal: str, entry: Entry) -> bool:
    return signal in entry.caught | entry.blocked | entry.ignored


def _is_touched_by_cont(entry: Entry) -> bool:
    waits = bool(entry.pending_signals & STOPPING)
    return entry.stopped or waits or "SIGCONT" in entry.caught | entry.blocked


def _is_told_while_it_stops(entry: Entry, signal: str, members: Sequence[Entry]) -> bool:
    """Whether a child may stop at the same blow: who of the two is first decides what its handler can tell before."""
    stops = not _is_arranged_for(signal, entry) and signal in STOPPING
    parents = {member.parent for member in members}
    return stops and "SIGCHLD" in entry.caught and entry.name in parents


def _kills(signal: str, entry: Entry) -> bool:
    return not _is_arranged_for(signal, entry) and default_action(signal) in _FATAL_ACTIONS
