"""What the runner answers: whom it saw at rest, by the kernel's numbers, and how the program ended."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Self

from forklab.history import Node, State


@dataclass(frozen=True)
class Sighting:
    """`nodes` are all below `runner`, itself included; `first` is the program. `statuses` are by pid.

    `left` are those who did not end with their input. `ended_early` is a word for why it had to be ended;
    `refused` what exec(2) had against the program.
    """

    runner: int = 0
    first: int = 0
    nodes: tuple[Node, ...] = ()
    output: str = ""
    statuses: Mapping[int, int] = field(default_factory=dict)
    left: tuple[int, ...] = ()
    ended_early: str | None = None
    refused: str | None = None

    def to_json(self) -> str:
        return json.dumps({**asdict(self), "nodes": [node._asdict() for node in self.nodes]})

    @classmethod
    def from_json(cls, text: str) -> Self:
        form = json.loads(text)
        nodes = (
            {**node, "state": State(node["state"]), "former": tuple(node["former"])}
            for node in form["nodes"]
        )
        form |= {
            "nodes": tuple(Node(**node) for node in nodes),
            "statuses": {int(pid): status for pid, status in form["statuses"].items()},
            "left": tuple(form["left"]),
        }
        return cls(**form)
