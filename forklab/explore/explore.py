"""All outcomes of a program: the front door of this room.

    exploration = explore(["./a.out"])
    exploration.outputs        # every text that it can print
    exploration.complete       # whether that is all

The state graph is built from what real runs have taught, the outcomes are read off it, and then each is made to happen
once more, by its schedule: what is reported has been seen.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Unpack

from forklab.bounds import MOST_STATES, SECONDS, Progress, Stop, TimeIsUpError
from forklab.counted import counted
from forklab.explore.exploration import Exploration
from forklab.explore.forest import Forest, forest_of
from forklab.explore.graph import Graph
from forklab.explore.harvest import TooManyOutcomesError, glean, harvest
from forklab.explore.outcome import Outcome, end_of
from forklab.explore.replays import Replays
from forklab.explore.search import evenly, objections, search
from forklab.explore.tempting import Agree, kinds_for, see_again, tries_for
from forklab.kernel.signals import bit
from forklab.lens.replay import Played
from forklab.lens.request import Options, find
from forklab.lens.world.limits import Limits
from forklab.runnable import is_python
from forklab.steps.chance import Kind
from forklab.steps.schedule import Grain

MOST_OUTCOMES = 10_000
_MANY = 8  # processes; of more, who have nothing to do with each other, only what they print is explored
REPLAYED = 60  # outcomes; of more, these many, evenly chosen
_REPLAYED_IN_DOUBT = (
    1_000  # where the program does what is not modelled: then only those are told that were seen
)
# Said of a wait that the kernel ends, or somebody outside: it may look like one for ever.
_ENDS_BY_ITSELF = ("whose end is not chosen but happens", "it uses sockets")
_MOST_STATES_IN_DOUBT = 1_000  # what was learned is not the program: no use to follow it far
_MOST_STATES_OF_THE_ENDLESS = 100  # a fork bomb: what it is is known from its first run
_MOST_STEPS = 5_000  # of a run
_TO_FINISH = 1.0  # seconds, when the time is up: to read off what was found, and to see it again
_MOST_PROCESSES = 100  # at a time: with more, nobody comes to an end


class _Chances(NamedTuple):
    """In which kinds of chance other worlds differ, and in how many it is seen what comes of it."""

    kinds: frozenset[Kind] = frozenset()
    tries: int = 0


def explore(
    argv: Sequence[str],
    *,
    limit: int = MOST_STATES,
    seconds: float = SECONDS,
    text_only: bool = False,
    tempt: bool = True,
    tell: Callable[[Progress], None] = lambda _: None,
    stop: Stop | None = None,
    **options: Unpack[Options],
) -> Exploration:
    """Every outcome of `argv`, as far as `limit` states and `seconds` let it come.

    For the `options` see `forklab.lens.request.Request`. `text_only`: only what is printed tells outcomes apart.
    `tempt`: find out whether chance has a say in it. `tell` hears how far it is, now and then. It comes to its end soon
    after a `stop` was asked for. Raises CannotRecordError.
    """
    started = time.monotonic()
    stop = stop or Stop()
    environment = options.get("environment")
    program = options.get("program") or find(argv[0])
    chances = _Chances()
    if tempt:
        kinds = kinds_for(os.environ if environment is None else environment)
        chances = _Chances(kinds, tries_for(program, argv))

    def is_over(graph: Graph) -> bool:
        passed = time.monotonic() - started
        states = len(graph.learned.situations)
        tell(Progress(states, replays.runs, passed))
        most = limit
        if graph.learned.doubts:
            most = min(limit, _MOST_STATES_IN_DOUBT)
        elif graph.endless is not None:
            most = min(limit, _MOST_STATES_OF_THE_ENDLESS)
        is_late = passed > seconds or stop.is_asked
        return states > most or is_late or replays.are_void

    options.setdefault("limits", Limits(processor_seconds=5.0, processes=_MOST_PROCESSES))
    grain = Grain(_unwatched(program))
    until = started + seconds
    with Replays(
        argv, grain=grain, longest=_MOST_STEPS, until=until, stop=stop, **options
    ) as replays:
        played = None
        with contextlib.suppress(TimeIsUpError):
            played = replays.play([])
        forest = None if replays.are_void or not played else forest_of(played, replays.grain)
        if forest is not None and (text_only or len(forest.lives) > _MANY):
            with contextlib.suppress(TooManyOutcomesError, TimeIsUpError):
                texts = forest.texts(MOST_OUTCOMES, until)
                return _of_forest(forest, texts, replays, chances)
        graph = search(replays, played, is_over)
        reasons = _reasons(graph, replays, limit, started, seconds)
        if stop.is_asked:
            reasons.append(stop.why)
        until = min(until, stop.since)
        replays.until, replays.grace = until + _TO_FINISH, _TO_FINISH
        try:
            outcomes = _harvested(graph, reasons, text_only=text_only, until=replays.until)
        except TimeIsUpError:
            outcomes = glean(graph, MOST_OUTCOMES)
            over = counted(seconds, "second was over", "seconds were over")
            reasons += [over] if over not in reasons and not stop.is_asked else []
        if any(words in reason for reason in reasons for words in _ENDS_BY_ITSELF):
            outcomes = [outcome for outcome in outcomes if not outcome.deadlock]
        replays.by_memory = False
        in_doubt = bool(replays.reasons or graph.learned.doubts)
        outcomes, replayed = _seen_again(
            replays, outcomes, comes_to, reasons, chances, in_doubt=in_doubt
        )
        return Exploration(
            tuple(outcomes),
            graph,
            not reasons,
            graph.schedules(),
            len(graph.steps),
            replays.runs,
            replayed,
            tuple(reasons),
        )


def _harvested(graph: Graph, reasons: list[str], *, text_only: bool, until: float) -> list[Outcome]:
    """Raises TimeIsUpError."""
    most = MOST_OUTCOMES if not text_only else 10**6
    try:
        return harvest(graph, most, text_only=text_only, until=until)
    except TooManyOutcomesError:
        outcomes = harvest(graph, 10**6, text_only=True, until=until)
        reasons.append(
            f"there are more than {MOST_OUTCOMES:,} outcomes: those that print the same count once"
        )
        return outcomes


def _of_forest(
    forest: Forest, texts: Iterable[str], replays: Replays, chances: _Chances
) -> Exploration:
    reasons: list[str] = []
    outcomes = [forest.outcome(text) for text in texts]
    outcomes, replayed = _seen_again(replays, outcomes, prints, reasons, chances)
    return Exploration(
        tuple(outcomes),
        forest,
        not reasons,
        forest.schedules(),
        forest.states,
        replays.runs,
        replayed,
        tuple(reasons),
        ends_vary=True,
    )


def _unwatched(program: str) -> int:
    """Python catches SIGINT from its start: no reason to stand still after each call."""
    return bit(signal.SIGINT) if is_python(program) else 0


def _reasons(
    graph: Graph, replays: Replays, limit: int, started: float, seconds: float
) -> list[str]:
    """Why this may not be all."""
    learned = graph.learned
    reasons = objections(graph, replays)
    cut = any(here.cut is not None for here in learned.situations.values())
    if not graph.complete:
        if time.monotonic() - started > seconds:
            reasons.append(counted(seconds, "second was over", "seconds were over"))
        elif len(learned.situations) > limit:
            reasons.append(counted(limit, "state was reached", "states were reached"))
        elif graph.endless is not None and not cut:
            reasons.append(f"one run had to be ended: {graph.endless.rstrip('.')}")
        elif not reasons and not replays.stop.is_asked:
            reasons.append("the search was not finished")
    return reasons


def comes_to(played: Played, outcome: Outcome) -> bool:
    """Whether this run had that outcome."""
    return prints(played, outcome) and end_of(played.last_state) == outcome.end


def prints(played: Played, outcome: Outcome) -> bool:
    """The same, but for who is a zombie in the end."""
    text = "".join(taken.output for taken in played.taken)
    steps = len(played.taken) - 1
    same_end = end_of(played.last_state).status == outcome.end.status
    return text == outcome.output and steps == len(outcome.schedule) and same_end


def _seen_again(
    replays: Replays,
    outcomes: list[Outcome],
    agree: Agree,
    reasons: list[str],
    chances: _Chances,
    *,
    in_doubt: bool = False,
) -> tuple[list[Outcome], int]:
    """Those that do come of their schedules, and how many were tried; whatever is in doubt joins the reasons.

    `in_doubt`: what was learned may not be the program, so that only what is seen is true.
    """
    chosen = evenly(outcomes, _REPLAYED_IN_DOUBT if in_doubt else REPLAYED)
    kinds = frozenset() if reasons else chances.kinds
    seen = see_again(replays, chosen, agree, kinds, chances.tries)
    if seen.wrong:
        reasons.append("not every outcome could be made to happen again")
    if seen.reason is not None:
        reasons.append(seen.reason)
    if not seen.in_time and not reasons:
        reasons.append("there was no time to see what depends on chance")
    reasons += [reason + where for reason, where in replays.reasons.items() if not reasons]
    known = chosen[: seen.tried] if in_doubt or seen.wrong else outcomes
    return [outcome for outcome in known if outcome not in seen.wrong], seen.tried


__all__ = ["Exploration", "Outcome", "Progress", "explore"]
