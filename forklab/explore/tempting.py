"""Whether chance has a say in what was found: outcomes are made to happen again while what nobody decides differs.

No schedule says which hashes Python draws, where in memory things are, which pids there are, what time it is. In all
runs that a search learns from, these are the same. So, in the end, the outcomes are played once more by their schedules
in other worlds (`forklab.steps.chance`). Where the same schedule does not lead to the same there, something is decided
that is in no schedule, and nobody knows all that can come of it.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from forklab.bounds import TimeIsUpError
from forklab.explore.outcome import Outcome
from forklab.explore.replays import Replays
from forklab.lens.replay import Played
from forklab.lens.request import HASH_SEED
from forklab.runnable import is_python
from forklab.steps.chance import Chance, Kind
from forklab.steps.state import number_of

# So many runs in other worlds at least. What is one of two with equal chances is the same in all of these once in
# 65,536 programs. A run of Python costs twenty times as much as one of a program in C, and there it is mostly hashes.
TRIES, _TRIES_WITH_HASHES, _TRIES_WITHOUT = 16, 12, 6
_AT_ONCE, _KINDS_AT_ONCE = 4, 2
# Some things differ by themselves, in any world; others the kernel draws: these are tried more often than once.
_BY_ITSELF: tuple[None, ...] = (None,) * 4
_DRAWN = (Kind.ADDRESSES,) * 5
_MOST_WORLDS = 1_000
_MOST_SHOWN = 40  # letters
_SOMETHING = "what is different in each run on this machine, whatever the schedule"

Agree = Callable[[Played, Outcome], bool]


@dataclass
class Seen:
    """So many of the outcomes were `tried`; these are `wrong` by their own schedules.

    `reason`: what chance does. `in_time`: all was done that was to be done.
    """

    tried: int = 0
    wrong: list[Outcome] = field(default_factory=list)
    reason: str | None = None
    in_time: bool = True


def kinds_for(environment: Mapping[str, str]) -> frozenset[Kind]:
    """Of chance, for a program with this environment: who has chosen how Python shall hash has decided that."""
    return frozenset(Kind) - (frozenset({Kind.HASHES}) if HASH_SEED in environment else set())


def tries_for(program: str, argv: Sequence[str]) -> int:
    """How many of `see_again` are enough."""
    if not is_python(program):
        return TRIES
    from forklab.explore.hashes import may_matter  # here: it loads a parser of Python

    return _TRIES_WITH_HASHES if may_matter(argv) else _TRIES_WITHOUT


def see_again(
    replays: Replays,
    outcomes: Sequence[Outcome],
    agree: Agree,
    kinds: frozenset[Kind],
    tries: int = TRIES,
) -> Seen:
    """Plays each outcome, and all together `tries` times, in worlds that differ in these `kinds`.

    Without `kinds` each is played once, in the world of the search.
    """
    seen = Seen()
    try:
        least = tries if kinds and outcomes else 0
        _see_again(replays, outcomes, agree, kinds, max(len(outcomes), least), seen)
    except TimeIsUpError:
        seen.in_time = False
    return seen


def _see_again(
    replays: Replays,
    outcomes: Sequence[Outcome],
    agree: Agree,
    kinds: frozenset[Kind],
    count: int,
    seen: Seen,
) -> None:
    """Raises TimeIsUpError."""
    tries = list(itertools.islice(itertools.cycle(outcomes), count))
    worlds = _worlds(outcomes, count, kinds) if kinds else [None] * count
    for first in range(0, count, _AT_ONCE):
        here = slice(first, first + _AT_ONCE)
        others: dict[int, tuple[Outcome, Chance | None, Played]] = {}
        for place, run in enumerate(_play(replays, tries[here], worlds[here]), first):
            seen.tried = min(place + 1, len(outcomes))
            if not agree(run, tries[place]):
                others[place] = tries[place], worlds[place], run
                seen.wrong += [] if kinds else [tries[place]]
        if kinds:
            mine = [outcome for outcome, _, _ in others.values()]
            again = list(_play(replays, mine, [None] * len(mine)))
            for (place, other), run in zip(list(others.items()), again, strict=True):
                if agree(run, tries[place]):
                    seen.reason = _reason(replays, agree, *other)
                    return
        seen.wrong += [outcome for outcome, _, _ in others.values() if outcome not in seen.wrong]


def _play(
    replays: Replays, outcomes: Iterable[Outcome], worlds: Sequence[Chance | None]
) -> Iterable[Played]:
    return replays.play_all([outcome.replay.moves for outcome in outcomes], worlds)


def _worlds(outcomes: Sequence[Outcome], count: int, kinds: frozenset[Kind]) -> list[Chance]:
    """In which nobody's pid is a number that is printed anyway."""
    printed = {int(number) for o in outcomes for number in re.findall(r"\d{1,9}", o.output)}
    names = {step.move.process for outcome in outcomes for step in outcome.schedule} - {""}
    found: list[Chance] = []
    for number in range(1, _MOST_WORLDS + count):
        world = Chance(number, kinds)
        pids = {world.pid(number_of(name)) for name in names} | {world.parent}
        if number > _MOST_WORLDS or not pids & printed:
            found.append(world)
        if len(found) == count:
            break
    return found


def _reason(
    replays: Replays, agree: Agree, outcome: Outcome, world: Chance | None, run: Played
) -> str:
    """It is another one in that world. It is tried with one kind of chance at a time."""
    assert world is not None
    text = "".join(taken.output for taken in run.taken)
    instead = ""
    if text != outcome.output and len(text) <= _MOST_SHOWN:
        instead = f"; once it wrote {text!r} instead of {outcome.output[:_MOST_SHOWN]!r}"
    kinds = [*_BY_ITSELF, *(kind for kind in Kind if kind in world.kinds), *_DRAWN]
    for first in range(0, len(kinds), _KINDS_AT_ONCE):
        here = kinds[first : first + _KINDS_AT_ONCE]
        worlds = [world._replace(kinds=frozenset({kind} if kind else ())) for kind in here]
        runs = list(_play(replays, [outcome] * len(worlds), worlds))
        for kind, other in zip(here, runs, strict=True):
            if not agree(other, outcome):
                return f"it depends on {kind.value if kind else _SOMETHING}{instead}"
    return f"it depends on {_SOMETHING}{instead}"
