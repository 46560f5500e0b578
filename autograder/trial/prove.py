"""Goes through every schedule of a play: whoever is next, and whenever a signal comes from outside.

The explorer learns what each step does from real plays, and follows all schedules with that; the judge's cues are steps
of them, too. A loss counts once it has been seen: it is played again by its schedule. Of what never fails, some ways
are played again as well, and each real play is held against what was learned before.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from autograder.labs.scenario import Scenario
from autograder.labs.shortened import shortened
from autograder.language.deeds import LetsPass
from autograder.language.roles import Programs
from autograder.stage.errors import UnableError
from autograder.stage.stage import Stage
from autograder.trial.expected import Expected, Unknown
from autograder.trial.proof import SECONDS, Loss, Proof, Standing
from autograder.trial.rehearsals import Rehearsals, Rehearsed
from autograder.trial.verdict import Status
from forklab.counted import counted
from forklab.explore.graph import Graph
from forklab.explore.learned import Key, Step, Way, real_steps
from forklab.explore.search import evenly, objections, search
from forklab.explore.sentences import sentence
from forklab.history import History
from forklab.steps import state as facts
from forklab.steps.deeds import Deed, DeedKind, deed_of
from forklab.steps.moves import TIME, Move
from forklab.steps.schedule import Schedule

_MOST_STATES = 500_000
_FOR_THE_WHOLE = 0.25  # of the time, if there are rows that could be shorter
_WITHOUT_CERTAINTY = 0.1  # of the time, once it is clear that nothing will be certain
_MOST_DOUBTS = 3  # from then on what was learned is not the program
_SEEN_AGAIN = 8  # ways to an end, of those that pass
_TO_FIND_A_SHORTER_ONE = 1.0  # seconds at least, after the first loss
_NOBODY_WAITS = "it cannot be proved: it lets time pass, and in proofs nobody waits"


def prove(
    scenario: Scenario,
    programs: Programs,
    stage: Stage,
    recorded: Callable[[], Expected] = Unknown,
    *,
    seconds: float = SECONDS,
) -> Proof:
    """On a stage whose plays go by schedules. `recorded` is as `autograder.trial.decide.judge` has it.

    It takes no more than so many `seconds` on the processor, ours and those of the plays, however busy the machine is.
    What has too many schedules is tried with shorter rows of actors.
    """
    small = shortened(scenario)
    if small is None:
        return _prove(scenario, programs, stage, recorded, seconds)
    whole = _prove(scenario, programs, stage, recorded, seconds * _FOR_THE_WHOLE)
    if whole.standing is not Standing.OPEN:
        return whole
    in_small = _prove(small, programs, stage, recorded, seconds * (1 - _FOR_THE_WHOLE))
    if in_small.standing is Standing.OPEN:
        return replace(whole, plays=whole.plays + in_small.plays)
    proved = in_small.standing is Standing.PROVED
    return replace(
        in_small,
        standing=Standing.IN_SMALL if proved else in_small.standing,
        plays=whole.plays + in_small.plays,
        seconds=whole.seconds + in_small.seconds,
        in_small=True,
    )


def _prove(
    scenario: Scenario,
    programs: Programs,
    stage: Stage,
    recorded: Callable[[], Expected],
    seconds: float,
) -> Proof:
    if any(isinstance(step, LetsPass) for step in scenario.steps):
        return Proof(scenario.name, Standing.SKIPPED, reasons=(_NOBODY_WAITS,))
    rehearsals = Rehearsals(scenario, programs, stage, recorded)
    started = rehearsals.now()
    rehearsals.until = started + seconds
    hunt = _Hunt(rehearsals, started)
    try:
        graph = search(rehearsals, None, hunt.is_over)
    except UnableError as unable:
        return Proof(
            scenario.name, Standing.SKIPPED, reasons=(f"it cannot be played here: {unable}",)
        )
    proof = _proof(scenario, graph, rehearsals, hunt)
    return replace(proof, seconds=rehearsals.now() - started)


class _Hunt:
    """Looks for a loss while the graph grows."""

    def __init__(self, rehearsals: Rehearsals, started: float) -> None:
        self._rehearsals = rehearsals
        self._started, self._until = started, rehearsals.until
        self._seconds = rehearsals.until - started
        self._graph: Graph | None = None
        self._looked_at = 0
        self._lost: float | None = None  # since when one is known
        self._vain: float | None = None  # since when it is clear that there will be no proof

    def is_over(self, graph: Graph) -> bool:
        if graph is not self._graph:
            self._graph, self._looked_at, self._lost, self._vain = graph, 0, None, None
        new = list(itertools.islice(graph.steps, self._looked_at, None))
        self._looked_at = len(graph.steps)
        now = self._rehearsals.now()
        if self._lost is None and any(_is_lost(graph, key) for key in new):
            self._lost = now
        if self._vain is None and self._is_in_vain(graph, new):
            self._vain = now
        patience = max(_TO_FIND_A_SHORTER_ONE, (self._lost or now) - self._started)
        return (
            now > self._until
            or self._rehearsals.are_void
            or (self._lost is not None and now > self._lost + patience)
            or (self._vain is not None and now > self._vain + self._seconds * _WITHOUT_CERTAINTY)
            or len(graph.learned.situations) > _MOST_STATES
            or len(graph.learned.doubts) > _MOST_DOUBTS
        )

    def _is_in_vain(self, graph: Graph, new: Sequence[Key]) -> bool:
        """Whether it can only find a loss: something is not modelled, or there is no end of states."""
        cut = any(graph.situation(key).cut is not None for key in new)
        return cut or bool(self._rehearsals.reasons or graph.learned.doubts)

    def reasons(self, graph: Graph) -> tuple[str, ...]:
        """Why nothing is certain, if it is not."""
        found = objections(graph, self._rehearsals)
        if not graph.complete and not found:
            seconds = counted(
                self._seconds,
                "second on the processor was over",
                "seconds on the processor were over",
            )
            found = [
                seconds if self._rehearsals.now() > self._until else "there are too many states"
            ]
        return tuple(found)


def _proof(scenario: Scenario, graph: Graph, rehearsals: Rehearsals, hunt: _Hunt) -> Proof:
    reasons = hunt.reasons(graph)
    known = graph.complete and not reasons
    proof = Proof(
        scenario.name,
        Standing.PROVED if known else Standing.OPEN,
        schedules=graph.schedules() if known else 0,
        states=len(graph.steps),
        timed=any(move.kind == TIME for steps in graph.steps.values() for move in steps),
        reasons=reasons,
    )
    rehearsals.until = float("inf")
    losing = [key for key in graph.steps if _is_lost(graph, key)]
    if losing:
        loss = _loss(graph, rehearsals, set(losing), is_shortest=known)
        if loss is not None:
            number = graph.schedules(set(losing)) if known else 0
            proof = replace(proof, standing=Standing.LOST, losing=number, loss=loss)
        else:
            why = "a schedule that should lose did something else when it was played"
            proof = replace(proof, standing=Standing.OPEN, reasons=(*reasons, why), schedules=0)
    elif known and not _seen_again(graph, rehearsals):
        why = "a schedule did something else when it was played again"
        proof = replace(proof, standing=Standing.OPEN, reasons=(why,), schedules=0)
    return replace(proof, plays=rehearsals.runs)


def _verdict_at(graph: Graph, key: Key) -> Hashable:
    """What has come of the play there; None if it is not over."""
    script = facts.script_of(graph.situation(key).state)
    return script.verdict if script else None


def _is_lost(graph: Graph, key: Key) -> bool:
    verdict = _verdict_at(graph, key)
    return isinstance(verdict, tuple) and verdict[0] != Status.PASSED


def _loss(
    graph: Graph, rehearsals: Rehearsals, losing: set[Key], *, is_shortest: bool
) -> Loss | None:
    """The shortest, played; None if it passes then."""
    end, way = _shortest_way(graph, losing)
    seen = rehearsals.rehearse(real_steps(way))
    if seen.verdict is None or seen.outcome != _verdict_at(graph, end):
        return None
    return Loss(
        seen.verdict,
        _steps(seen),
        told(seen),
        Schedule(tuple(seen.played.steps), rehearsals.grain),
        is_shortest,
    )


def _shortest_way(graph: Graph, ends: set[Key]) -> tuple[Key, Way]:
    """From the start to one of these states."""
    before: dict[Key, tuple[Key, Move, Step]] = {}
    seen, queue = {graph.root}, deque([graph.root])
    while queue:
        key = queue.popleft()
        if key in ends:
            break
        for move, step in graph.steps.get(key, {}).items():
            if step.target not in seen:
                seen.add(step.target)
                before[step.target] = key, move, step
                queue.append(step.target)
    way: Way = []
    end = key
    while key in before:
        key, move, step = before[key]
        way.append((move, step.at_once))
    return end, way[::-1]


def _seen_again(graph: Graph, rehearsals: Rehearsals) -> bool:
    """Whether some of the ways to an end come to the end that was foreseen."""
    for key in evenly(graph.terminals, _SEEN_AGAIN):
        seen = rehearsals.rehearse(real_steps(graph.learned.way_to(graph.situation(key))))
        if seen.outcome is None or seen.outcome != _verdict_at(graph, key):
            return False
    return True


def _steps(seen: Rehearsed) -> tuple[str, ...]:
    state: dict[facts.Fact, Hashable] = {}
    steps = []
    for taken in seen.played.taken:
        facts.apply(taken.changes.items(), state)
        if taken.move is not None:
            deed = deed_of(state, taken.move)
            if deed.kind is not DeedKind.GO_ON:
                steps.append(sentence(_as_the_script_says(deed, seen.names)))
    return tuple(steps)


def _as_the_script_says(deed: Deed, names: Mapping[str, str]) -> Deed:
    return replace(
        deed,
        process=names.get(deed.process, deed.process),
        child=names.get(deed.child, deed.child),
        target=names.get(deed.target, deed.target),
        unwanted_by=names.get(deed.unwanted_by, deed.unwanted_by),
    )


def told(seen: Rehearsed) -> History:
    """All that has happened, with the names of the script."""
    return History.from_json(_with_names(seen.history, seen.names))


_NAMES = ("name", "parent", "process", "child", "by", "old", "new", "sender", "to")


def _with_names(form: Any, names: Mapping[str, str]) -> Any:
    if isinstance(form, list):
        return [_with_names(item, names) for item in form]
    if isinstance(form, dict):
        return {
            key: names.get(value, value)
            if key in _NAMES and isinstance(value, str)
            else _with_names(value, names)
            for key, value in form.items()
        }
    return form
