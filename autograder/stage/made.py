"""Processes that the subject of a play has made itself, and that a script has named."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from autograder.stage.watch import Watched


class Made:
    """By name. `watch` begins to watch one, by its pid."""

    def __init__(self, watch: Callable[[int], Watched] = Watched) -> None:
        self._watch = watch
        self._by_name: dict[str, Watched] = {}

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __getitem__(self, name: str) -> Watched:
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def name_of(self, pid: int) -> str | None:
        """Who has this pid, as seen from here."""
        return next((name for name, one in self._by_name.items() if one.pid == pid), None)

    def name(self, nameless: Sequence[int], names: Sequence[str]) -> bool:
        """Gives these names to the first of the `nameless`; False if they are too few."""
        if len(nameless) < len(names):
            return False
        for name, pid in zip(names, nameless, strict=False):
            self._by_name[name] = self._watch(pid)
        return True

    def adopt(self, name: str, process: Watched) -> None:
        """One that has that name already, as an actor, and is none any more."""
        self._by_name[name] = process

    def close(self) -> None:
        for process in self._by_name.values():
            process.close()
