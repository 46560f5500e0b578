"""Feedback that teaches: what happened, what init was doing, and what to think about.

A message has up to three sentences: the fact that broke the expectation, where init stood at that moment, and a hint
that follows from both.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from autograder.language.script import INIT, MAIN, Step, Verb
from autograder.stage.activity import Doing, Posture
from autograder.stage.actors import ActorLostError
from autograder.stage.play import Play
from autograder.stage.quiescence import Rest, Settled
from autograder.stage.sandbox import Ended
from autograder.trial.checks import unclean
from autograder.trial.inbox import Inbox
from autograder.trial.observe import Observer, fate_of
from forklab.history import Remark, State
from forklab.kernel.signals import signal_name

_MOST_COMPLAINT = 600  # characters of a submission's own words that a message quotes
_WAITS_FOR_SIGNALS = frozenset(
    {"pause", "sigsuspend", "sigwaitinfo", "poll", "ppoll", "select", "pselect"}
    | {"epoll_wait", "epoll_pwait", "epoll_pwait2", "read"}
)


@dataclass
class Explainer:
    """Finds words for one play."""

    play: Play
    observer: Observer
    inbox: Inbox

    def broken(self, step: Step, names: Sequence[str], settled: Settled) -> str:
        """Why the expectation `step` does not hold for `names`."""
        sentences = [self._fact(step, names, settled)]
        if step.verb not in (Verb.EXPECT_CLEAN, Verb.EXPECT_IDLE):
            sentences.append(self._where_init_is(settled))
        sentences.append(self._hint(step, names, settled))
        return " ".join(sentence for sentence in sentences if sentence)

    def lost(self, step: Step, lost: ActorLostError) -> str:
        """Why a step cannot be played: somebody whom it needs is gone, or unable to do it."""
        if self.play.init.ended():
            return (
                f"This step cannot be played any more: your init {self._ending(INIT)} before it, and nobody outlives "
                f"PID 1.{self._own_words()} Init lives until main ends, whatever else happens."
            )
        who = self.who(lost.name)
        if lost.errno is not None:
            return f"{who} cannot do that: {os.strerror(lost.errno)}. {_REASONS.get(step.verb, '')}".rstrip()
        if lost.name not in self.play.cast:
            return f"This step cannot be played any more: {who} died as soon as it was born."
        if self.play.cast[lost.name].flooded:
            return f"{who} gets one signal after the other and comes to nothing else. Each is to be passed on once."
        if not self.play.process(lost.name).ended():
            return f"This step cannot be played: {who} {self._standing(lost.name)}, and waits to be continued."
        return f"This step cannot be played any more: {who} {self._ending(lost.name)} before it."

    def never_started(self, settled: Settled) -> str:
        """Why main never reported."""
        if self.play.init.ended():
            return f"Your init {self._ending(INIT)} before it had started its command.{self._own_words()}"
        if settled.rest is Rest.SPINNING:
            return f"Your init runs and runs but does not start its command.{self._own_words()}"
        return (
            f"Your init never started its command: it is {self._activity(settled.doing)}.{self._own_words()} "
            "It should start the command that its arguments give, at once."
        )

    def remark_on_init(self, settled: Settled) -> Remark:
        """For the drawing of what was observed."""
        if self.play.init.ended():
            return Remark()
        if self.play.frozen:
            return Remark(words="frozen: it cannot run now")
        remark = settled.doing.remark()
        target = settled.doing.waits_for
        if target is not None and target > 0:
            return Remark(state=State.WAITING, words=f"asleep in {self._waitpid(target)}")
        return remark

    def who(self, name: str) -> str:
        """ "worker (1003)", with the pid that the pictures show."""
        if name == INIT:
            return "your init"
        try:
            return f"{name} ({self.observer.pid_shown(name)})"
        except KeyError:
            return name

    def _fact(self, step: Step, names: Sequence[str], settled: Settled) -> str:
        name = names[0]
        several = f"{len(names)} of {len(list(step.actors or ()))} ({_list_of(names)})"
        match step.verb:
            case (
                Verb.EXPECT_REAPED | Verb.EXPECT_ZOMBIE | Verb.EXPECT_ALIVE | Verb.EXPECT_STOPPED
            ) if len(names) > 1:
                return f"{several} {_PLURAL_FACTS[step.verb]}."
            case Verb.EXPECT_REAPED if fate_of(self.play, name).state is State.ZOMBIE:
                return f"{self.who(name)} {self._ending(name)} and stayed a zombie."
            case Verb.EXPECT_REAPED | Verb.EXPECT_ZOMBIE | Verb.EXPECT_STOPPED | Verb.EXPECT_ALIVE:
                return f"{_capital(self.who(name))} {self._standing(name)}."
            case Verb.EXPECT_CHILD:
                parent = fate_of(self.play, name).parent
                return f"{self.who(name)} {f'is a child of {parent}' if parent else self._standing(name)}."
            case Verb.EXPECT_GETS | Verb.EXPECT_GETS_NOTHING:
                return f"{self.who(name)} {self._mail(name, step)}."
            case Verb.EXPECT_EXITS | Verb.EXPECT_DIES:
                return f"{_capital(self.who(name))} {self._standing(name)} instead of {_wanted_end(step)}."
            case Verb.EXPECT_IDLE:
                return self._restlessness(settled)
            case Verb.EXPECT_CLEAN:
                return (
                    f"{self.who(name)} did not start clean: {'; '.join(unclean(self.play, name))}."
                )
            case Verb.EXPECT_OUTPUT:
                return f"The output has no {step.text!r}; it is {_shorten(self.play.output()) or 'empty'}."
            case Verb.EXPECT_NOBODY_LEFT:
                return f"Still there: {_list_of(names)}."
        raise AssertionError(f"{step.verb} is not an expectation")

    def _where_init_is(self, settled: Settled) -> str:
        if self.play.init.ended():
            return ""
        if settled.rest is Rest.SPINNING:
            return "Your init is running all the time."
        return f"Your init is {self._activity(settled.doing)}."

    def _activity(self, doing: Doing) -> str:
        if doing.posture is Posture.UNKNOWN:
            return "asleep"
        stat = self.play.init.stat()
        if stat is not None and stat.state in "Tt":
            return "stopped"
        if doing.posture is Posture.RUNNING:
            return "running all the time"
        target = doing.waits_for
        if target is not None and target > 0:
            alone = self.play.name_inside(target)
            return f"asleep in {self._waitpid(target)}, which waits for {alone or 'that process'} alone"
        if doing.waits_for_children:
            return "asleep in wait, ready for any child"
        if doing.posture is Posture.TIMED:
            return f"asleep in {doing.call}, until its time is over"
        return f"asleep in {doing.call}" if doing.call else "asleep"

    def _waitpid(self, target: int) -> str:
        name = self.play.name_inside(target)
        return f"waitpid({self.observer.pid_shown(name) if name else target})"

    def _hint(self, step: Step, names: Sequence[str], settled: Settled) -> str:
        doing = settled.doing
        if self.play.init.ended() and step.verb not in (
            Verb.EXPECT_EXITS,
            Verb.EXPECT_DIES,
            Verb.EXPECT_CLEAN,
        ):
            return f"Your init {self._ending(INIT)}: it should live until main ends, and no longer."
        match step.verb:
            case Verb.EXPECT_REAPED:
                if doing.waits_for is not None and doing.waits_for > 0:
                    return "Orphans are PID 1's children too: wait for any child."
                if doing.posture is Posture.TIMED:
                    return (
                        "Nothing wakes it when a child dies: it only looks when its time is over."
                    )
                if doing.call in _WAITS_FOR_SIGNALS:
                    return (
                        "One SIGCHLD can stand for many deaths: when it comes, call waitpid(-1, ..., WNOHANG) until it "
                        "finds nobody."
                    )
                return "Every zombie of init's waits to be collected, whoever it was the child of before."
            case Verb.EXPECT_GETS:
                return "What init gets from outside, it passes on to main's whole process group."
            case Verb.EXPECT_GETS_NOTHING:
                return (
                    "Init passes on what it was sent, to main's process group and to nobody else."
                )
            case Verb.EXPECT_EXITS if step.actors and INIT in step.actors:
                return self._status_hint(step)
            case Verb.EXPECT_CLEAN:
                return (
                    "Between fork and exec the child must undo what init set up for itself: mask, dispositions, "
                    "descriptors, and take the terminal."
                )
            case Verb.EXPECT_IDLE:
                return "Let the kernel wake it: block until a child dies or a signal comes, without a timeout."
        return ""

    def _status_hint(self, step: Step) -> str:
        main_ended = MAIN in self.play.cast and self.play.process(MAIN).ended()
        if not self.play.init.ended():
            return (
                "Main is dead: now init ends too, whoever else still lives." if main_ended else ""
            )
        if step.number is not None and step.number > 128:
            return "A command that a signal n killed is reported as 128 + n: ask WIFSIGNALED before WEXITSTATUS."
        if step.number == 127 or step.number == 126:
            return "127 says that the command was not found, 126 that it was found but cannot be executed."
        return "Init reports main's status, and that of nobody else."

    def _mail(self, name: str, step: Step) -> str:
        received = self.inbox.received(name)
        got = ", ".join(
            f"{signal} {count} times" if count > 1 else signal for signal, count in received.items()
        )
        if step.verb is Verb.EXPECT_GETS_NOTHING:
            return f"got {got}"
        wanted = step.signal if step.number is None else f"{step.signal} {_times(step.number)}"
        return f"did not get {wanted}, but {got or 'nothing'}"

    def _restlessness(self, settled: Settled) -> str:
        if self.play.init.ended():
            return ""
        if settled.rest is Rest.SPINNING:
            return "Your init is spinning: it runs all the time although there is nothing to do."
        if settled.doing.posture is Posture.TIMED:
            return f"Your init is polling: it sleeps in {settled.doing.call} with a timeout and wakes up for nothing."
        return "Your init is not asleep."

    def _standing(self, name: str) -> str:
        fate = fate_of(self.play, name)
        match fate.state:
            case State.ZOMBIE if name == INIT:
                return self._ending(name)
            case State.ZOMBIE:
                return f"{self._ending(name)} and is a zombie"
            case State.REAPED:
                return f"{self._ending(name)} and is gone"
            case State.STOPPED:
                return f"is stopped by {fate.stopped_by}" if fate.stopped_by else "is stopped"
        return "is still running"

    def _ending(self, name: str) -> str:
        return _how(self.play.ended(name))

    def _own_words(self) -> str:
        """What the submission wrote to its standard error, if anything."""
        words = self.play.complaints().strip()
        return f" It wrote: {_shorten(words)}" if words else ""


# What an init must have done when an actor cannot do what a correct one lets it do.
_REASONS = {
    Verb.SAYS: "It has no standard output to write to: did your init close it?",
    Verb.REAPS: "Its children vanish without a status: did it start with SIGCHLD ignored?",
    Verb.STARTS_SESSION: "Only one that does not lead a process group can start a session.",
}
_PLURAL_FACTS = {
    Verb.EXPECT_REAPED: "are not reaped",
    Verb.EXPECT_ZOMBIE: "are no zombies",
    Verb.EXPECT_ALIVE: "are not alive any more",
    Verb.EXPECT_STOPPED: "are not stopped",
}


def badge(step: Step, reaper: str | None = None) -> str:
    """What should be, in a few words, for the picture of what is. `reaper` is who should have reaped it by now."""
    match step.verb:
        case Verb.EXPECT_ALIVE:
            return "should be running"
        case Verb.EXPECT_ZOMBIE:
            return "should be a zombie"
        case Verb.EXPECT_REAPED:
            return f"should be reaped by {reaper}" if reaper else "should be reaped"
        case Verb.EXPECT_CHILD:
            return f"should be a child of {step.others}"
        case Verb.EXPECT_STOPPED:
            return "should be stopped"
        case Verb.EXPECT_GETS:
            return f"should get {step.signal}" + (
                f" {_times(step.number)}" if step.number is not None else ""
            )
        case Verb.EXPECT_GETS_NOTHING:
            return "should get no signal"
        case Verb.EXPECT_EXITS:
            return f"should exit with {step.number}"
        case Verb.EXPECT_DIES:
            return f"should die by {step.signal}"
        case Verb.EXPECT_IDLE:
            return "should sleep"
        case Verb.EXPECT_CLEAN:
            return "should start clean"
    return "should be gone"


def _how(ended: Ended | None) -> str:
    if ended is None:
        return "still lived"
    if ended.status is not None:
        return f"exited with {ended.status}"
    return f"was killed by {signal_name(ended.signal)}" if ended.signal else "ended"


def _wanted_end(step: Step) -> str:
    return (
        f"exiting with {step.number}"
        if step.verb is Verb.EXPECT_EXITS
        else f"dying by {step.signal}"
    )


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def _list_of(names: Sequence[str]) -> str:
    shown = ", ".join(names[:5])
    return f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:] if words.startswith("your") else words


def _shorten(text: str) -> str:
    text = text.strip()
    return text if len(text) <= _MOST_COMPLAINT else text[:_MOST_COMPLAINT] + " ..."
