"""POSIX semaphores that processes share: numbers in memory, of which the kernel knows nothing. See sem_overview(7)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from forklab.lens.edge.memory import Shared


class Semaphore(NamedTuple):
    """`resource` is its name, the same in each run: "semaphore /a". `initial` was its value when it was seen first."""

    resource: str
    initial: int


@dataclass(eq=False)
class Semaphores:
    """All that the program has. `values` are those that have been changed since they were seen first.

    `guards`: there is memory that processes share, and that is kept from everybody but the functions for them.
    """

    guards: bool = False
    values: dict[str, int] = field(default_factory=dict)
    _known: dict[Shared, Semaphore] = field(default_factory=dict)
    _named: dict[str, int] = field(default_factory=dict)

    def opened(self, where: Shared, name: str, value: int) -> Semaphore:
        """Somebody has opened it by this name. Another one that has had the name counts from two on."""
        found = self._known.get(where)
        if found is None:
            number = self._named[name] = self._named.get(name, 0) + 1
            resource = f"semaphore {name}" + (f" ({number})" if number > 1 else "")
            found = self._known[where] = Semaphore(resource, value)
        return found

    def made(self, where: Shared, maker: str, value: int) -> Semaphore:
        """By sem_init(3): the first one of P.1 is P.1/1."""
        number = self._named[maker] = self._named.get(maker, 0) + 1
        found = self._known[where] = Semaphore(f"semaphore {maker}/{number}", value)
        return found

    def at(self, where: Shared | None) -> Semaphore | None:
        return None if where is None else self._known.get(where)
