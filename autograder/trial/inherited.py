"""What an actor has got from init beside signals, held against how init itself was started."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from autograder.language.roles import BACKGROUND, BANDS, STREAMS
from autograder.stage import surroundings
from autograder.stage.actors import ActorLostError
from autograder.stage.staged import StagedPlay
from autograder.stage.watch import Watched

_NICEST = 19
_NOTHING = surroundings.file_id("/dev/null")

T = TypeVar("T")


@dataclass(frozen=True)
class Inherited:
    """Answers for the actors of one play. Raises ActorLostError if the actor is dead: nobody can know then."""

    play: StagedPlay

    def standard_amiss(self, name: str) -> list[str]:
        """What is wrong with its standard descriptors, a clause each. Where init has none, /dev/null does no harm."""
        amiss: list[str] = []
        has = self._ask(name, surroundings.standard_files)
        for number, stream in enumerate(STREAMS):
            given = None if number in self.play.start.closed else self.play.standard_files[number]
            if given is None and has.get(number, _NOTHING) != _NOTHING:
                amiss.append(f"its standard {stream} is a file of init's own, which was given none")
            elif given is not None and number not in has:
                amiss.append(f"its standard {stream} is closed")
            elif given is not None and has[number] != given:
                amiss.append(f"its standard {stream} is not the one that init was given")
        return amiss

    def has_its_terminal(self, name: str) -> bool:
        """Whether its group is in the foreground, unless there is no terminal or init has none to lend."""
        foreground = self.play.foreground()
        if foreground is None or self.play.start.job == BACKGROUND:
            return True
        return foreground == self._ask(name, surroundings.group_of)

    def terminal_is_as_before(self) -> bool:
        return self.play.foreground() == self.play.foreground_at_start()

    def is_in(self, name: str, folder: str) -> bool:
        return self._ask(name, lambda process: surroundings.is_in(process, folder))

    def folder(self, name: str) -> str:
        return self._ask(name, surroundings.folder_of)

    def has_variable(self, name: str, variable: str) -> bool:
        wanted, _, value = variable.partition("=")
        return self._ask(name, surroundings.variables_of).get(wanted) == value

    def variable(self, name: str, variable: str) -> str:
        """How the variable of this name stands in its environment, in words."""
        wanted = variable.partition("=")[0]
        value = self._ask(name, surroundings.variables_of).get(wanted)
        return f"no variable {wanted}" if value is None else f"{wanted}={value}"

    def band(self, name: str, band: str) -> int:
        """The number of its group or session, as seen from here; a zombie has them still."""
        place = BANDS.index(band)
        try:
            return surroundings.bands_of(self.play.process(name))[place]
        except ProcessLookupError as gone:
            raise ActorLostError(name) from gone

    def is_in_foreground(self, name: str) -> bool:
        return self.play.foreground() == self.band(name, BANDS[0])

    def writes_to(self, one: str, other: str) -> bool:
        """Whether what the one writes is what the other reads, through a pipe that the play has not begun with."""
        written = self._ask(one, surroundings.standard_files).get(1)
        read = self._ask(other, surroundings.standard_files).get(0)
        return written == read not in (None, _NOTHING, *self.play.standard_files.values())

    def has_open(self, name: str, stream: str, file: str) -> bool:
        number = STREAMS.index(stream)
        return self._ask(name, lambda process: surroundings.has_open(process, number, file))

    def arguments(self, name: str) -> list[str]:
        return self._ask(name, surroundings.command_line_of)[1:]

    def umask(self, name: str) -> str:
        return self._ask(name, surroundings.umask_of)

    def has_nice_value(self, name: str, nice: int) -> bool:
        return self._ask(name, surroundings.nice_value_of) == min(
            self.play.nice_value + nice, _NICEST
        )

    def nice_value(self, name: str) -> int:
        """Relative to the judge's own, as scripts tell it."""
        return self._ask(name, surroundings.nice_value_of) - self.play.nice_value

    def _ask(self, name: str, question: Callable[[Watched], T]) -> T:
        try:
            return question(self.play.process(name))
        except ProcessLookupError as gone:
            raise ActorLostError(name) from gone
