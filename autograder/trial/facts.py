"""What can be asked of a play at this moment: of the kernel, and of what the actors found and got."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from autograder.language.roles import MAIN
from autograder.stage.activity import Posture
from autograder.stage.quiescence import Rest, Settled
from autograder.stage.staged import StagedPlay, told_status
from autograder.trial.inbox import Inbox
from autograder.trial.inherited import Inherited
from autograder.trial.observe import Fate, fate_of
from forklab.kernel.signals import signal_name
from forklab.kernel.statuses import exit_code, in_shell, killer


@dataclass
class Facts:
    """The facts of one play; names are those of the script. Raises UntoldError of an end that the kernel hides."""

    play: StagedPlay
    inbox: Inbox
    asked: Sequence[str] = ()  # commands for a service manager, so far

    def fate(self, name: str) -> Fate:
        return fate_of(self.play, name)

    def is_dead(self, name: str) -> bool:
        return self.play.process(name).ended()

    def exit_status(self, name: str) -> int | None:
        """With what it exited, if it did."""
        return exit_code(told_status(self.play, name))

    def killer(self, name: str) -> str | None:
        """The signal that killed it, if one did."""
        return killer(told_status(self.play, name))

    def received(self, name: str) -> Counter[str]:
        """The signals that it has got since the last deeds, by name."""
        return self.inbox.received(name)

    def is_idle(self, settled: Settled) -> bool:
        """Whether init sleeps until something from outside happens, and nothing that it has started polls."""
        asleep = settled.activity.posture in (Posture.ASLEEP, Posture.UNKNOWN)
        quiet = settled.rest is Rest.QUIET
        if settled.rest is Rest.TIMED and settled.sleeper is not None:
            quiet = settled.sleeper.pid != self.play.init.pid
        return quiet and asleep and not self.play.init.ended()

    def inherited(self) -> Inherited:
        return Inherited(self.play)

    def output(self) -> str:
        """What has been written to standard output so far."""
        return self.play.output()

    def error_output(self) -> str:
        """What has been written to standard error so far; at a terminal that is the same as the output."""
        return self.play.complaints()

    def left_over(self) -> list[str]:
        """Actors that have not been reaped, then strays, as pids in words. Init itself is none, even as main."""
        left = [
            actor.name
            for actor in self.play.cast
            if actor.process.pid != self.play.init.pid and not actor.process.reaped()
        ]
        return left + [name for name, _ in self.play.strays()]

    def status_in_shell(self, name: str) -> int | None:
        """As $? has it: the exit status, or 128 + n; None while it lives."""
        status = told_status(self.play, name)
        return None if status is None else in_shell(status)

    def together(self, one: str, other: str, band: str) -> bool:
        """Whether their groups, or sessions, are the same."""
        return self.inherited().band(one, band) == self.inherited().band(other, band)

    def leads(self, name: str, band: str) -> bool:
        return self.inherited().band(name, band) == self.play.process(name).pid

    def line_read(self, name: str) -> str | None:
        """The line that an actor has read last, with its newline; empty: it has found the end; None: none yet."""
        heard = self.play.cast.hear(name).heard
        return heard[-1] if heard else None

    def spare_descriptors(self, name: str) -> list[int]:
        """Those that an actor started with, beyond the three standard ones."""
        return sorted(self.play.cast[name].condition.descriptors - {0, 1, 2})

    def arguments(self, name: str) -> list[str]:
        """The words behind its name, as it was executed with them; of an actor. Raises ActorLostError if it is dead."""
        return self.inherited().arguments(name)

    def amiss(self, name: str) -> list[str]:
        """What an actor found amiss when it started, in words; empty if it started clean.

        Clean is what a login shell would hand on: no signal blocked or ignored, the standard descriptors that init
        was given and no other, and, where there is a terminal, main's group in its foreground.
        """
        found = self.play.cast[name].condition
        inherited = Inherited(self.play)
        amiss: list[str] = []
        if found.blocked:
            amiss.append(f"it has {_list_of(found.blocked)} blocked")
        if found.ignored:
            amiss.append(f"it ignores {_list_of(found.ignored)}")
        if surplus := found.descriptors - {0, 1, 2}:
            numbers = ", ".join(map(str, sorted(surplus)))
            amiss.append(
                f"descriptor{'s' if len(surplus) > 1 else ''} {numbers} came with it, open"
            )
        amiss += inherited.standard_amiss(name)
        if name == MAIN and not inherited.has_its_terminal(name):
            amiss.append("its group is not in the foreground of the terminal")
        return amiss


def _list_of(signals: frozenset[int]) -> str:
    names = [signal_name(number) for number in sorted(signals)]
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
