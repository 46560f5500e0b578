"""Words for what happened in a play: who stands how, what init was doing, why a step could not be played.

What broke an expectation is told by its check (checks.py), in these words.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from autograder.language.roles import PIDNS
from autograder.stage.activity import Activity, Posture, activity_of
from autograder.stage.actors import ActorLostError
from autograder.stage.quiescence import Rest, Settled
from autograder.stage.staged import StagedPlay
from autograder.trial.observe import Observer, fate_of
from forklab.history import Remark, State
from forklab.kernel.statuses import how_it_ended

_MOST_COMPLAINT = 600  # characters of a submission's own words that a message quotes

_NEVER_FORKED = (
    "Your init has executed the command itself, so the command is PID 1 now, and there is no init any more. "
    "Fork first, and execute the command in the child."
)
_NEVER_FORKED_EITHER = (
    "{} has executed the command itself, so it is there no more. "
    "Fork first, and execute the command in the child."
)


@dataclass
class Explainer:
    """Finds words for one play. `of_an_init`: they may tell of what every init has to do."""

    play: StagedPlay
    observer: Observer
    of_an_init: bool = True

    @property
    def subject(self) -> str:
        """Who is judged, at the beginning of a sentence."""
        return capital(str(self.play.subject))

    def lost(self, lost: ActorLostError) -> str:
        """Why a step cannot be played: somebody whom it needs is gone, or unable to do it."""
        subject = self.play.subject
        if not self.play.is_there(lost.name) and self.play.is_command(lost.name):
            return f"{self.subject} has not started {lost.name}.{self._end_of_subject()}{self._own_words()}"
        if self.play.init.ended() and (subject.is_init or lost.name == subject.name):
            falls = subject.is_init and self.play.mode == PIDNS
            fallen = ", and nobody outlives PID 1" if falls else ""
            rule = " Init lives until main ends, whatever else happens." if self.of_an_init else ""
            return (
                f"This step cannot be played any more: {subject} {self.ending(subject.name)} before it{fallen}."
                f"{self._own_words()}{rule}"
            )
        who = self.who(lost.name)
        if lost.errno is not None:
            return f"{who} cannot do that: {os.strerror(lost.errno)}. {lost.reason}".rstrip()
        if lost.name == subject.name:
            return f"This step cannot be played: {who} cannot be stopped."
        if lost.name not in self.play.cast:
            return f"This step cannot be played any more: {who} died as soon as it was born."
        if self.play.cast[lost.name].flooded:
            return f"{who} gets one signal after the other and comes to nothing else. Each is to be passed on once."
        now = activity_of(self.play.process(lost.name))
        if now.call and not self.play.cast[lost.name].cannot_act:
            return f"{who} cannot do that: it is blocked in {now.call}, and nobody will ever let it go on."
        if not self.play.process(lost.name).ended():
            stopped = fate_of(self.play, lost.name).state is State.STOPPED
            why = "waits to be continued" if stopped else "does not answer"
            return f"This step cannot be played: {who} {self.standing(lost.name)}, and {why}."
        return f"This step cannot be played any more: {who} {self.ending(lost.name)} before it."

    def ended_early(self) -> str:
        if self.play.is_its_own_init:
            return self._never_forked()
        ending = f"{self.subject} {self.ending(self.play.subject.name)}"
        if self.of_an_init:
            return f"{ending}: it should live until main ends, and no longer.{self._own_words()}"
        return f"{ending}, though there is more to come: it ends too early.{self._own_words()}"

    def should_live(self) -> str:
        """Of a subject that has ended where the script says that it is alive: who else still is, and its own words."""
        left = [one.name for one in self.play.cast if not self.play.process(one.name).ended()]
        verb = "lives" if len(left) == 1 else "live"
        meanwhile = f" while {list_of(left)} still {verb}" if left else ""
        ending = self.ending(self.play.subject.name)
        return f"{self.subject} {ending}{meanwhile}: it should live on.{self._own_words()}"

    def never_started(self, settled: Settled) -> str:
        """Why main never reported."""
        if self.play.init.ended():
            ending = self.ending(self.play.subject.name)
            return f"{self.subject} {ending} before it had started its command.{self._own_words()}"
        if settled.rest is Rest.SPINNING:
            return (
                f"{self.subject} runs and runs but does not start its command.{self._own_words()}"
            )
        if (
            settled.rest is Rest.TIMED
            and settled.sleeper is not None
            and settled.sleeper.limit is not None
        ):
            sleeper = settled.sleeper
            return (
                f"{self.subject} never started its command: it, or one that it has started, sleeps in "
                f"{sleeper.call} for {sleeper.limit:.0f} seconds, and so long nobody waits.{self._own_words()}"
            )
        return (
            f"{self.subject} never started its command: it is {self._activity(settled.activity)}.{self._own_words()} "
            "It should start the command that its arguments give, at once."
        )

    def remark_on_init(self, settled: Settled) -> Remark:
        """For the drawing of what was observed. What an actor does is the script's doing."""
        if self.play.init.ended() or self.play.subject.is_actor:
            return Remark()
        if self.play.frozen:
            return Remark(words="frozen: it cannot run now")
        held = self.play.held_exit(self.play.subject.name)
        if held is not None:
            return Remark(words=f"about to exit with {held}")
        remark = settled.activity.remark()
        target = settled.activity.waits_for
        if target is not None and target > 0:
            return Remark(state=State.WAITING, words=f"asleep in {self._waitpid(target)}")
        return remark

    def who(self, name: str) -> str:
        """ "worker (1003)", with the pid that the pictures show."""
        if name == self.play.subject.name:
            return str(self.play.subject)
        try:
            return f"{name} ({self.observer.pid_shown(name)})"
        except KeyError:
            return name

    def where_init_is(self, settled: Settled) -> str:
        if self.play.is_its_own_init:
            return self._never_forked()
        if self.play.init.ended() or self.play.subject.is_actor:
            return ""
        if settled.rest is Rest.SPINNING:
            return f"{self.subject} is running all the time."
        if settled.rest is Rest.POLLING and settled.activity.posture is not Posture.TIMED:
            return f"{self.subject} is polling."
        return f"{self.subject} is {self._activity(settled.activity)}."

    def _never_forked(self) -> str:
        if self.play.subject.is_init:
            return _NEVER_FORKED
        return _NEVER_FORKED_EITHER.format(self.subject)

    def _end_of_subject(self) -> str:
        if not self.play.init.ended():
            return ""
        return f" It {self.ending(self.play.subject.name)} before that."

    def _activity(self, activity: Activity) -> str:
        if activity.posture is Posture.UNKNOWN:
            return "asleep"
        held = self.play.held_exit(self.play.subject.name)
        if held is not None:
            return f"about to exit with {held}"
        stat = self.play.init.stat()
        if stat is not None and stat.state in "Tt":
            return "stopped"
        if activity.posture is Posture.RUNNING:
            return "running all the time"
        target = activity.waits_for
        if target is not None and target > 0:
            alone = self.play.name_inside(target)
            return f"asleep in {self._waitpid(target)}, which waits for {alone or 'that process'} alone"
        if activity.waits_for_children:
            return "asleep in wait, ready for any child"
        if activity.posture is Posture.TIMED:
            return f"asleep in {activity.call}, until its time is over"
        return f"asleep in {activity.call}" if activity.call else "asleep"

    def _waitpid(self, target: int) -> str:
        name = self.play.name_inside(target)
        # A pid that is no actor's differs each time, and tells nobody anything.
        return f"waitpid({self.observer.pid_shown(name) if name else 'its child'})"

    def standing(self, name: str) -> str:
        fate = fate_of(self.play, name)
        match fate.state:
            case State.ZOMBIE if name == self.play.subject.name:
                return self.ending(name)
            case State.ZOMBIE:
                return f"{self.ending(name)} and is a zombie"
            case State.REAPED:
                return f"{self.ending(name)} and is gone"
            case State.STOPPED:
                return f"is stopped by {fate.stopped_by}" if fate.stopped_by else "is stopped"
        held = self.play.held_exit(name)
        return "is still running" if held is None else f"is about to exit with {held}"

    def ending(self, name: str) -> str:
        if not self.play.process(name).ended():
            return "still lived"
        status = self.play.status(name)
        return "ended" if status is None else how_it_ended(status)

    def _own_words(self) -> str:
        """What the submission wrote to its standard error, if anything."""
        words = self.play.complaints().strip()
        return f" It wrote: {shorten(words)}" if words else ""


def capital(words: str) -> str:
    """For the beginning of a sentence. A name stays as it is."""
    return words[:1].upper() + words[1:] if words.startswith("your") else words


def list_of(names: Sequence[str]) -> str:
    shown = ", ".join(names[:5])
    return f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown


def shorten(text: str) -> str:
    text = text.strip()
    return text if len(text) <= _MOST_COMPLAINT else text[:_MOST_COMPLAINT] + " ..."


def obstruction(play: StagedPlay) -> str:
    """Who of a play sleeps in a way in which nothing can wake it, or cannot reach us, in a clause; or nothing."""
    found = []
    for process in (play.init, *(stray for _, stray in play.strays())):
        stat = process.stat()
        if stat is None or stat.state != "D":
            continue
        activity = activity_of(process, uninterruptible=True)
        who = str(play.subject) if process is play.init else "a process that it has started"
        where = f" in {activity.call}" if activity.call else ""
        found.append(f"{who} sleeps{where} so that not even a signal can wake it (state D)")
    return ", ".join(found) or play.trouble()
