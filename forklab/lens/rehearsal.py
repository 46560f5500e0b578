"""A door of the lens: a performance by a schedule, for whoever wants to know all that can happen in it.

rehearsal = Rehearsal(pid, actor, director, Schedule(moves))
...                         as a Performance
rehearsal.is_over("passed")
rehearsal.played(None)      # what was possible at each step, and what was done
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

from forklab.history import VERSION
from forklab.jsonform import JsonObject
from forklab.lens.edge import seccomp
from forklab.lens.loop.cues import Cues, Director
from forklab.lens.loop.rehearsed import Rehearsed
from forklab.lens.loop.scheduled import ALL_THAT_MATTER
from forklab.lens.performance import LIMITS, Performance
from forklab.lens.replay import Played
from forklab.lens.world.chronicle import Member
from forklab.lens.world.surroundings import File
from forklab.steps.schedule import Schedule
from forklab.steps.state import KEYS, Stimulus, Touch, number_of


def filter_of_steps() -> bytes:
    """The filter that the program has to have, a program for the kernel's BPF machine."""
    return seccomp.filter_for(ALL_THAT_MATTER)


class Rehearsal(Performance):
    """Raises OSError if the program cannot be traced."""

    def __init__(
        self,
        pid: int,
        actor: File,
        director: Director,
        schedule: Schedule,
        *,
        terminal: File | None = None,
        typed: File | None = None,
        holds_exits: bool = False,
    ) -> None:
        """`terminal` is the one that the program has, if any; `typed` what it reads from, if we write that."""
        self._rehearsed = Rehearsed(schedule, cues=Cues(actor, director), holds_exits=holds_exits)
        self._begin(pid, self._rehearsed, LIMITS, number_of, terminal, stops_at_end=True)
        self._run.surroundings.is_typed = typed is not None
        if typed is not None and typed != terminal:
            self._run.pipes.begin_typing(typed)

    def remembers(self, memory: Callable[[], str]) -> None:
        """It answers a digest of what the judge remembers: with another one, the same cue may do something else."""
        self._rehearsed.memory = memory

    def types(self, words: bytes) -> None:
        """They have been written where the program reads."""
        if self._run.pipes.typed is not None:
            self._run.pipes.typed.write(words)
        else:
            self._run.resources.told([Touch(KEYS, tells=True)], words)

    def ends_input(self) -> None:
        self._run.pipes.typed = None

    def let_exit(self, member: Member) -> None:
        self._rehearsed.may_exit.add(member)

    def held_exit(self, member: Member) -> int | None:
        return None if member.dead else self._rehearsed.held_exit(self._run, member)

    def may_get(self, number: int) -> None:
        """From now on this signal may come to the first process from outside, at any moment after it has forked."""
        self._rehearsed.stimulus = Stimulus(number)

    def has_to_get_it_now(self) -> None:
        """It comes before the next cue, if it has not come yet and still can."""
        stimulus = self._rehearsed.stimulus
        if stimulus is not None:
            self._rehearsed.stimulus = stimulus._replace(is_due=True)

    def is_over(self, verdict: Hashable) -> None:
        """The judge has come to that."""
        self._rehearsed.is_over(self._loop, verdict)

    @property
    def history(self) -> JsonObject:
        """Of all that has happened so far, as `History.to_json` has it, by the names that everybody has by birth."""
        return {"version": VERSION, **self._run.chronicle.form}

    def played(self, ended_early: str | None) -> Played:
        """What there was so far; `ended_early`: why it had to be ended, if it had to."""
        run = self._run
        return Played(
            tuple(self._rehearsed.taken),
            None,
            ended_early,
            run.findings.reasons,
            touched=run.resources.touched,
            mapped=frozenset(run.resources.mapped),
            changes_files=run.undo.has_work or run.channels.has_fifos,
        )
