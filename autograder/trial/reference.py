"""The correct program beside a submission: the lab's own solution, if it has one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# How each program is started, by its name, when its folder is seen at a place.
Commands = Mapping[str, Callable[[str], Sequence[str]]]


@dataclass(frozen=True)
class Reference:
    """`identity` tells it from all others: equal ones play a scenario alike.

    `make_ready` answers a folder of its own and how to start it; None if there is no such program, or it cannot be
    built here. It is asked only if something cannot be decided, or has to be compared with it.
    """

    identity: tuple[str, ...]
    make_ready: Callable[[], tuple[Path, Commands] | None]


NO_REFERENCE = Reference((), lambda: None)
