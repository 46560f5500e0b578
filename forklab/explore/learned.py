"""What each step of a program does, learned from real runs of it.

A step depends only on its footprint (`forklab.steps.footprint`), so what one did once, it does again wherever the facts
of its footprint are the same. A few dozen real runs teach all that is needed to follow millions of schedules. Each real
run also checks what was learned before: where it does something else, or touches a fact outside of a footprint, that is
kept in `doubts`, and nobody may claim to know everything.

A process that catches signals stands still after each call, too. To go on from there concerns nobody, unless a signal
comes meanwhile; so here it goes on at once, and PRIOR keeps how things stood before. When a signal comes, it may still
take it there: EARLY. Without this, such steps would multiply the states for nothing.
"""

from __future__ import annotations

import random
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from forklab.kernel.signals import bit
from forklab.lens.replay import Played
from forklab.steps import state as facts
from forklab.steps.footprint import footprint, signals_sent
from forklab.steps.moves import CUE, EARLY, RETURN, TIME, Move, moves
from forklab.steps.pending import also_sent, may_disturb, pending, signals_waiting
from forklab.steps.resources import may_be_woken_in_vain
from forklab.steps.state import PRIOR, Fact

Key = int  # of a state: equal states have equal keys
Way = list[tuple[Move, tuple[str, ...]]]  # steps, each with those who went on after it
_Item = tuple[Fact, Hashable]
_Changes = tuple[tuple[Fact, Hashable], ...]


class Effect(NamedTuple):
    """The facts that a step changes (None: it is no more), and what it writes."""

    changes: _Changes
    output: str


class Step(NamedTuple):
    """From one situation to another: `at_once` are those who went on after a call, in this order, at its end."""

    target: Key
    output: str
    at_once: tuple[str, ...]


class Unknown(NamedTuple):
    """A step that has not been seen yet: equal `conditions`, equal step. `at_once` go on after it, until it shows."""

    conditions: Hashable
    at_once: tuple[str, ...]


@dataclass(slots=True)
class Situation:
    """A state that can be reached: `before` is the step by which it was found first; None for the start."""

    key: Key
    state: dict[Fact, Hashable]
    moves: tuple[Move, ...]
    before: tuple[Key, Move, Step] | None = None
    cut: str | None = None  # why nobody knows how it goes on


@dataclass
class Learned:
    """A machine that steps from state to state as the program does, as far as it has been seen.

    `waits_after_calls`: without EARLY; each process stands still after its calls, as in a real run.
    """

    waits_after_calls: bool = False
    situations: dict[Key, Situation] = field(default_factory=dict)
    root: Key | None = None
    doubts: list[str] = field(default_factory=list)
    runs: int = 0  # real ones that it has learned from
    taught: int = 0  # the same in steps
    _effects: dict[Hashable, Effect] = field(default_factory=dict)
    _cut: dict[Key, str] = field(default_factory=dict)
    _numbers: dict[_Item, int] = field(default_factory=dict)
    _random: random.Random = field(default_factory=lambda: random.Random(0))

    def learn(self, played: Played) -> None:
        """From a real run."""
        self.runs += 1
        state: dict[Fact, Hashable] = {}
        if not played.taken:  # it was ended before it came to its first step
            self._start(state)
        for number, taken in enumerate(played.taken):
            changes = tuple(taken.changes.items())
            if number == 0:
                facts.apply(changes, state)
                self._start(state)
                continue
            move = played.taken[number - 1].move
            assert move is not None
            self._remember(state, move, Effect(changes, taken.output))
            facts.apply(changes, state)
        if played.ended_early is not None and not played.stuck:
            key = self._key(state.items())
            self._cut[key] = played.ended_early
            if key in self.situations:
                self.situations[key].cut = played.ended_early

    def _start(self, state: dict[Fact, Hashable]) -> None:
        key = self._key(state.items())
        if self.root is None:
            self.root = key
            self.situations[key] = Situation(key, dict(state), tuple(moves(state)))
        elif key != self.root:
            self.doubt("It does not begin in the same way each time.")

    def _remember(self, before: dict[Fact, Hashable], move: Move, effect: Effect) -> None:
        self.taught += 1
        touched = footprint(before, move)
        for fact, _ in effect.changes:
            _, _, named = fact[1].rpartition(" ")  # also "socketpair P/1"
            is_new = fact not in before and named.startswith(
                (f"{move.process}.", f"{move.process}/")
            )
            if fact not in touched and not is_new and move.kind not in (TIME, CUE):
                whose = f"A step of {move.process}" if move.process else "Time that passes"
                self.doubt(f"{whose} changes the {fact[0]} of {fact[1] or 'all'}.")
        known = self._effects.setdefault(_conditions(before, move, touched), effect)
        if set(known.changes) != set(effect.changes) or known.output != effect.output:
            self.doubt(f"The same step of {move.process} does not do the same each time.")

    def doubt(self, doubt: str) -> None:
        if doubt not in self.doubts:
            self.doubts.append(doubt)

    def step(self, here: Situation, move: Move) -> Step | Unknown:
        """Where it leads to."""
        process, chosen = move.process, move
        state = state_for(here, move)
        if move.kind == EARLY:
            move = Move(process, RETURN)
        conditions = _conditions(state, move, footprint(state, move))
        effect = self._effects.get(conditions)
        if effect is None:
            return Unknown(conditions, ())
        if move.kind in (TIME, CUE):
            for fact in [fact for fact in state if fact[0] == PRIOR]:
                del state[fact]
        else:
            state.pop((PRIOR, process), None)
        sent = list(signals_sent(state, move))
        facts.apply(effect.changes, state)
        for name, number in sent:
            _keep_what_it_dropped(state, name, number)
        for fact in [f for f in state if f[0] == PRIOR and (facts.AT, f[1]) not in state]:
            del state[fact]  # it was killed
        at_once: list[str] = []
        if not self.waits_after_calls:
            for name in _who_may_go_on(state):
                at_once.append(name)
                if (conditions := self._let_go_on(state, name)) is not None:
                    return Unknown(conditions, tuple(at_once))
        key = here.key ^ self._key(set(here.state.items()) ^ set(state.items()))
        step = Step(key, effect.output, tuple(at_once))
        if key not in self.situations:
            self.situations[key] = self._situation(key, state, (here.key, chosen, step))
        return step

    def _let_go_on(self, state: dict[Fact, Hashable], name: str) -> Hashable | None:
        """It goes on after its call; else what would have to be known for it."""
        move = Move(name, RETURN)
        conditions = _conditions(state, move, footprint(state, move))
        effect = self._effects.get(conditions)
        if effect is None:
            return conditions
        prior = tuple((fact, state.get(fact)) for fact, _ in effect.changes)
        facts.apply(effect.changes, state)
        state[PRIOR, name] = prior
        return None

    def _situation(
        self, key: Key, state: dict[Fact, Hashable], before: tuple[Key, Move, Step]
    ) -> Situation:
        priors = [(fact, value) for fact, value in state.items() if fact[0] == PRIOR]
        found = moves(state)
        if semaphore := may_be_woken_in_vain(state):
            self.doubt(f"A signal comes for one of several who wait for {semaphore}.")
        for (_, name), _ in priors:
            if may_disturb(state, name):
                found.append(Move(name, EARLY))
        cut = self._cut.get(key ^ self._key(priors)) if self._cut else None
        return Situation(key, state, tuple(found), before, cut)

    def _key(self, items: Iterable[_Item]) -> int:
        """Random numbers, so that the exclusive or of those of a state's items is a key for it."""
        key = 0
        for item in items:
            number = self._numbers.get(item)
            if number is None:
                number = self._numbers[item] = self._random.getrandbits(128)
            key ^= number
        return key

    def way_to(self, here: Situation) -> Way:
        """The steps from the start, each with those who went on after it."""
        steps = []
        while here.before is not None:
            key, move, step = here.before
            steps.append((move, step.at_once))
            here = self.situations[key]
        return steps[::-1]


def state_for(here: Situation, move: Move) -> dict[Fact, Hashable]:
    """The state in which this step is taken there: if it is EARLY, its process still stands after the call before.

    With the mask that it had there: what it ignores waits only as long as it is blocked, and it may have changed that.
    """
    state = dict(here.state)
    if move.kind == EARLY:
        name = move.process
        prior = state[PRIOR, name]
        assert isinstance(prior, tuple)
        since = signals_waiting(state, name)
        facts.apply(prior, state)
        state[facts.PENDING, name] = also_sent(state, name, since)
    return state


def _keep_what_it_dropped(state: dict[Fact, Hashable], name: str, number: int) -> None:
    """Who has gone on and ignores a signal that has been sent may have blocked it before: there it would wait."""
    prior = state.get((PRIOR, name), ())
    assert isinstance(prior, tuple)
    before = dict(prior)
    masks = before.get((facts.MASKS, name))
    if isinstance(masks, facts.Signals) and masks.blocked & bit(number) & ~pending(state, name):
        waiting = before.get((facts.PENDING, name), ())
        dropped = facts.Waiting(number, 0, "", 0)
        before[facts.PENDING, name] = tuple(sorted({*waiting, dropped}))
        state[PRIOR, name] = tuple(before.items())


def real_steps(way: Way) -> list[Move]:
    """A way as a schedule for a real run: whoever is to take a signal early has to stand still until then."""
    return [move for move, _ in numbered_steps(way)]


def numbered_steps(way: Way) -> list[tuple[Move, int | None]]:
    """The same, each with the place of its step on the way; None for those that go on after it."""
    steps: list[tuple[Move, int | None]] = []
    stands: set[str] = set()  # backwards: who takes a signal early before it does anything else
    for place in range(len(way) - 1, -1, -1):
        move, at_once = way[place]
        goes_on = [name for name in reversed(at_once) if name not in stands]
        steps += [(Move(name, RETURN), None) for name in goes_on]
        stands.difference_update(at_once)
        if move.kind == EARLY:
            steps.append((Move(move.process, RETURN), place))
            stands.add(move.process)
        else:
            steps.append((move, place))
            stands.discard(move.process)
    return steps[::-1]


def _who_may_go_on(state: dict[Fact, Hashable]) -> list[str]:
    """After a call, with no signal that it would notice."""
    names = []
    for (what, name), value in state.items():
        stands = what == facts.AT and isinstance(value, facts.Place) and value.stage == facts.AFTER
        if stands and not may_disturb(state, name):
            names.append(name)
    return sorted(names, key=facts.order)


def _conditions(state: dict[Fact, Hashable], move: Move, touched: frozenset[Fact]) -> Hashable:
    return move, frozenset((fact, state.get(fact)) for fact in touched)
