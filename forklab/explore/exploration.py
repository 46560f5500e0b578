"""The answer of `forklab.explore`."""

from __future__ import annotations

from dataclasses import dataclass, field

from forklab.explore.forest import Forest
from forklab.explore.graph import Graph
from forklab.explore.order import ProcessGraph, process_graph
from forklab.explore.outcome import Outcome
from forklab.jsonform import JsonObject


@dataclass(frozen=True)
class Exploration:
    """All outcomes, or as many as were found before it was not `complete`; then `reasons` say why.

    `schedules` is how many different schedules were covered, `states` how many states they pass through, `runs` how
    often the program really ran for that, and `replayed` how many of the outcomes were then seen happening again by
    their schedules. `ends_vary`: only what is printed was explored, not who is a zombie when the first process ends.
    `unbuffered` are the outputs as far as known if all that it prints were written at once; None if that is the same.
    """

    outcomes: tuple[Outcome, ...]
    graph: Graph | Forest = field(repr=False, compare=False)
    complete: bool
    schedules: int
    states: int
    runs: int
    replayed: int = 0
    reasons: tuple[str, ...] = ()
    ends_vary: bool = False
    unbuffered: tuple[str, ...] | None = None

    @property
    def process_graph(self) -> ProcessGraph:
        """What comes before what in every schedule."""
        if isinstance(self.graph, Forest):
            return self.graph.process_graph()
        return process_graph(self.graph)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The different texts, each once."""
        return tuple(dict.fromkeys(outcome.output for outcome in self.outcomes))

    def to_json(self) -> JsonObject:
        return {
            "complete": self.complete,
            "reasons": list(self.reasons),
            "schedules": self.schedules,
            "states": self.states,
            "runs": self.runs,
            "replayed": self.replayed,
            **({"unreaped": "not explored"} if self.ends_vary else {}),
            **({} if self.unbuffered is None else {"unbuffered": list(self.unbuffered)}),
            "outcomes": [outcome.to_json() for outcome in self.outcomes],
        }
