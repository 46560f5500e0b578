"""Programs whose processes have nothing to do with each other but that they are born: all schedules from one run.

No process of such a program waits, sends or gets a signal, sleeps, or touches what another one changes. So what each
does depends on nothing but its own past, and one run shows what all of them do in every schedule. Only what the output
looks like depends on the order: it is any order of what they write in which each write comes after its own past, and
after the fork that made its process.

Processes with the same future are one case: sixteen that all write "hello" have one output, and seventeen states.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, Union

from forklab.bounds import be_in_time
from forklab.explore.harvest import TooManyOutcomesError
from forklab.explore.order import ProcessGraph, graph_of
from forklab.explore.outcome import End, Outcome, StepTaken
from forklab.kernel.signals import CHLD, bit
from forklab.lens.replay import Played
from forklab.steps import state as facts
from forklab.steps.deeds import Deed, DeedKind, deed_of
from forklab.steps.moves import CALL
from forklab.steps.pending import may_disturb
from forklab.steps.schedule import Grain
from forklab.steps.state import Fact, State

_ALONE = frozenset({DeedKind.FORK, DeedKind.WRITE, DeedKind.EXIT, DeedKind.EXEC})
_MOST_WRITES = 400
_ALONE_CALLS = frozenset({"rt_sigaction", "rt_sigprocmask"})

# What a process still does that can be seen: texts, and the futures of its children.
Future: TypeAlias = tuple[Union[str, "Future"], ...]
# Of all who have one, sorted: who they are makes no difference. Each begins with a text.
Futures: TypeAlias = tuple[Future, ...]


@dataclass(frozen=True)
class Forest:
    """`lives` has the steps of each process, by name; `status` is that of the first one."""

    lives: Mapping[str, tuple[StepTaken, ...]]
    status: int
    grain: Grain
    _texts: dict[Futures, frozenset[str]] = field(default_factory=dict)

    @property
    def root(self) -> Futures:
        return _begun((self._future("P"),))

    @property
    def states(self) -> int:
        """Different ones, as far as they have been looked at."""
        return len(self._texts)

    def written_from(self, futures: Futures) -> list[tuple[str, Futures]]:
        """What can be written next, and what is left then."""
        found: dict[tuple[str, Futures], None] = {}
        for place, (text, *rest) in enumerate(futures):
            assert isinstance(text, str)
            left = _begun((*futures[:place], tuple(rest), *futures[place + 1 :]))
            found[text, left] = None
        return list(found)

    def texts(self, most: int, until: float = math.inf) -> list[str]:
        """All that it can print. Raises TooManyOutcomesError if that is more than `most`, and TimeIsUpError."""
        return sorted(self._texts_from(self.root, most, until))

    def outcome(self, text: str) -> Outcome:
        """With a schedule that leads to this text: all write it, then all end."""
        steps: list[StepTaken] = []
        left = {name: list(life) for name, life in self.lives.items()}
        alive = ["P"]
        self._go_on(alive, left, "P", steps)
        while text:
            name, taken = next(self._fitting(alive, left, text))
            text = text[len(taken.deed.text) :]
            steps.append(left[name].pop(0))
            self._go_on(alive, left, name, steps)
        for name in sorted(alive, key=facts.order, reverse=True):
            steps += left[name]
        return Outcome(_written(steps), End(self.status, (), ()), tuple(steps), (), self.grain)

    def schedules(self) -> int:
        """How many: by the hook length formula for a forest, n! over the product of what hangs on each step."""
        sizes: list[int] = []
        self._weigh("P", sizes)
        return math.factorial(len(sizes)) // math.prod(sizes)

    def process_graph(self) -> ProcessGraph:
        order: list[tuple[Deed, int | None]] = []
        self._draw("P", None, order)
        return graph_of(order)

    def _future(self, name: str) -> Future:
        found: list[str | Future] = []
        for _, deed in self.lives[name]:
            if deed.kind is DeedKind.WRITE:
                found.append(deed.text)
            elif deed.kind is DeedKind.FORK:
                found.append(self._future(deed.child))
        return tuple(found)

    def _texts_from(self, futures: Futures, most: int, until: float) -> frozenset[str]:
        if futures not in self._texts:
            be_in_time(until)
            found = {
                text + rest
                for text, left in self.written_from(futures)
                for rest in self._texts_from(left, most, until)
            }
            if len(found) > most or len(self._texts) > most:
                raise TooManyOutcomesError
            self._texts[futures] = frozenset(found or {""})
        return self._texts[futures]

    def _fitting(
        self, alive: list[str], left: Mapping[str, list[StepTaken]], text: str
    ) -> Iterator[tuple[str, StepTaken]]:
        """Who can write the beginning of the text, so that the rest of it is possible."""
        for name in alive:
            taken = left[name][0]
            if taken.deed.kind is DeedKind.WRITE and text.startswith(taken.deed.text):
                rest = text[len(taken.deed.text) :]
                others = [self._left(other, left) for other in alive if other != name]
                after = _begun((*others, self._left(name, left)[1:]))
                if rest in self._texts[after]:
                    yield name, taken

    def _left(self, name: str, left: Mapping[str, list[StepTaken]]) -> Future:
        future = self._future(name)
        done = [deed for _, deed in self.lives[name][: len(self.lives[name]) - len(left[name])]]
        return future[sum(deed.kind in (DeedKind.WRITE, DeedKind.FORK) for deed in done) :]

    def _go_on(
        self,
        alive: list[str],
        left: Mapping[str, list[StepTaken]],
        name: str,
        steps: list[StepTaken],
    ) -> None:
        """Up to its next write, or its end; its children too, as soon as they are born."""
        while left[name][0].deed.kind not in (DeedKind.WRITE, DeedKind.EXIT):
            taken = left[name].pop(0)
            steps.append(taken)
            if taken.deed.kind is DeedKind.FORK:
                alive.append(taken.deed.child)
                self._go_on(alive, left, taken.deed.child, steps)

    def _weigh(self, name: str, sizes: list[int]) -> int:
        """Adds for each step of it, and of all below it, how many steps cannot come before it; answers for all."""
        hangs = 0
        for _, deed in reversed(self.lives[name]):
            if deed.kind is DeedKind.FORK:
                hangs += self._weigh(deed.child, sizes)
            hangs += 1
            sizes.append(hangs)
        return hangs

    def _draw(self, name: str, after: int | None, order: list[tuple[Deed, int | None]]) -> None:
        for _, deed in self.lives[name]:
            order.append((deed, after))
            after = len(order) - 1
            if deed.kind is DeedKind.FORK:
                self._draw(deed.child, after, order)


def forest_of(played: Played, grain: Grain) -> Forest | None:
    """None if its processes may have to do with each other, as far as the run shows."""
    if played.ended_early is not None or played.reasons or played.status is None:
        return None
    lives: dict[str, list[StepTaken]] = {}
    state: dict[Fact, Hashable] = {}
    for taken in played.taken:
        facts.apply(taken.changes.items(), state)
        if not _is_quiet(state):
            return None
        if taken.move is None:
            break
        deed = deed_of(state, taken.move) if taken.move.kind == CALL else None
        if deed is None or not _is_alone(deed):
            return None
        lives.setdefault(deed.process, []).append(StepTaken(taken.move, deed))
    writes = sum(deed.kind is DeedKind.WRITE for life in lives.values() for _, deed in life)
    ends = all(life[-1].deed.kind is DeedKind.EXIT for life in lives.values())
    if not ends or writes > _MOST_WRITES:
        return None
    return Forest({name: tuple(life) for name, life in lives.items()}, played.status, grain)


def _is_quiet(state: State) -> bool:
    """No signal is on its way that anybody would notice, no timer runs, and nobody waits in the kernel."""
    for (what, name), value in state.items():
        if what in (facts.TIMER, facts.PIPE):
            return False
        if what == facts.PENDING and may_disturb(state, name):
            return False
        if isinstance(value, facts.Signals) and value.caught & bit(CHLD):
            return False
        if isinstance(value, facts.Place) and (value.touches or value.stage != facts.BEFORE):
            return False
    return True


def _is_alone(deed: Deed) -> bool:
    return deed.kind in _ALONE or (deed.kind is DeedKind.CALL and deed.call in _ALONE_CALLS)


def _begun(futures: Futures) -> Futures:
    """All children are born that can be."""
    found: list[Future] = []
    waiting = list(futures)
    while waiting:
        future = waiting.pop()
        while future and not isinstance(future[0], str):
            waiting.append(future[0])
            future = future[1:]
        if future:
            found.append(future)
    return tuple(sorted(found, key=repr))


def _written(steps: list[StepTaken]) -> str:
    return "".join(step.deed.text for step in steps if step.deed.kind is DeedKind.WRITE)
