"""One play on the stage in virtual time, by a schedule: somebody has chosen each of its steps."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

from autograder.language.roles import AS_EVER, COMMAND_PID, INIT_PIDS, PIDNS, Casting
from autograder.stage.cued import WatchedMember, number_inside
from autograder.stage.stage import Stage
from autograder.stage.start import AS_AT_LOGIN, Start
from autograder.stage.virtual import VirtualPlay
from forklab.jsonform import JsonObject
from forklab.lens.performance import Performance
from forklab.lens.rehearsal import Rehearsal
from forklab.lens.replay import Played
from forklab.lens.world.surroundings import File
from forklab.lens.world.surroundings import identity as file_of
from forklab.steps.schedule import Schedule

FIRST = "P"  # the subject's name by birth


class RehearsedPlay(VirtualPlay):
    """On a stage whose plays go by schedules.

    A row forks in turn: in which order it does, only the numbers of its children would tell.
    """

    forks_in_turn = True

    def __init__(
        self,
        stage: Stage,
        command: Sequence[str],
        schedule: Schedule,
        *,
        terminal: bool = False,
        start: Start = AS_AT_LOGIN,
        casting: Casting = AS_EVER,
        typed: bool = False,
    ) -> None:
        self._schedule, self._has_terminal, self._is_typed = schedule, terminal, typed
        super().__init__(
            stage, command, terminal=terminal, start=start, casting=casting, typed=typed
        )

    def _traced(self, pid: int, actor: File, seed: int | str) -> Performance:
        read = file_of(f"/proc/{pid}/fd/0")
        self._rehearsal = Rehearsal(
            pid,
            actor,
            self.cast,
            self._schedule,
            terminal=read if self._has_terminal else None,
            typed=read if self._is_typed else None,
            holds_exits=self.start.exits_held,
        )
        return self._rehearsal

    def type(self, words: bytes) -> None:
        super().type(words)
        self._rehearsal.types(words)

    def end_input(self) -> None:
        super().end_input()
        self._rehearsal.ends_input()

    def is_judged_by(self, memory: Callable[[], str]) -> None:
        """`memory` answers a digest of all that its judge remembers of it."""
        self._rehearsal.remembers(memory)

    def may_get(self, number: int) -> None:
        self.cast.stirred = True
        self._rehearsal.may_get(number)

    def has_to_get_it_now(self) -> None:
        self.cast.stirred = True
        self._rehearsal.has_to_get_it_now()

    def is_over(self, verdict: Hashable) -> None:
        """Its judge has come to that."""
        self._rehearsal.is_over(verdict)

    @property
    def names(self) -> dict[str, str]:
        """How the script, or the judge, calls processes, by their names in the history."""
        found = {member.name: f"process {number_inside(member)}" for member in self.cast.unnamed}
        found |= {actor.member.name: actor.name for actor in self.cast}
        made = ((name, self._made[name]) for name in self._made)
        found |= {one.member.name: name for name, one in made if isinstance(one, WatchedMember)}
        return found | {FIRST: self.subject.name}

    @property
    def history(self) -> JsonObject:
        """Of all that has happened so far, as `History.to_json` has it, by the names of births.

        The subject has the number that pictures show.
        """
        form = self._rehearsal.history
        number = INIT_PIDS[PIDNS] if self.subject.is_init else COMMAND_PID
        for process in form["processes"]:
            if process["name"] == FIRST:
                process["pid"] = number
        return form

    def played(self, ended_early: str | None = None) -> Played:
        """What there was so far; `ended_early`: why it had to be ended, if it had to."""
        return self._rehearsal.played(ended_early)
