"""A play as it goes with a perfect init: the policy of the lab's init over the ideal kernel of forklab.model.

`PerfectPlay.perform(deed)` lets the actors do what a deed of the script says, then init does at once all that it has
to do. What happened is told as a History; nothing here starts a process.
"""

from __future__ import annotations

import signal
from collections.abc import Iterable, Iterator, Sequence
from typing import assert_never

from autograder.language.beginnings import Beginning, FreezesInitAfterFork
from autograder.language.deeds import (
    Blocks,
    Catches,
    CatchesEverySignal,
    Continues,
    Deed,
    Dies,
    EndsInput,
    Exits,
    ExitsLater,
    FillsFile,
    Forks,
    Freezes,
    Ignores,
    LetsExit,
    LetsPass,
    Presses,
    Reads,
    Reaps,
    Runs,
    Says,
    Sends,
    SendsAtAnyMoment,
    SendsEverySignal,
    SendsOften,
    StartsGroup,
    StartsSession,
    Stops,
    Thaws,
    ThawsMain,
    TriesToSay,
    Types,
)
from autograder.language.every_signal import EVERY_SIGNAL as EVERY_CATCHABLE
from autograder.language.roles import FIRST_PID, INIT, INIT_PIDS, MAIN, OUTSIDE, PIDNS, SUBREAPER
from autograder.language.sentence import Doer
from autograder.language.services import Controls, IsReady
from forklab.history import Event, History, HistoryBuilder, Process, State
from forklab.kernel.signals import UNTOUCHABLE, DefaultAction, default_action, signal_number
from forklab.model import (
    Accept,
    Action,
    BecomeSubreaper,
    Block,
    Catch,
    Default,
    Exec,
    Exit,
    Fork,
    Ignore,
    Kill,
    KillGroup,
    ModelError,
    SetForeground,
    SetGroup,
    StartSession,
    Table,
    TakeTerminal,
    Unblock,
    Wait,
    apply,
)

# Blocked signals wait until init has the time to take them, so a frozen init loses none.
EVERY_SIGNAL = frozenset(signal.Signals.__members__) | {
    f"SIGRTMIN+{offset}" for offset in range(1, signal.SIGRTMAX - signal.SIGRTMIN)
}


class PerfectPlay:
    """Who stands how, and what has happened so far.

    `line` is the script line of the step being performed; it is the time of the events. `got` are the signals that
    each has caught, and the SIGCONT that continued it. `unclean` are the actors that were born with a signal blocked,
    ignored or caught; `beginnings` is how init was started. With a `command` nobody knows what `main` does: it only
    runs.
    """

    def __init__(
        self, mode: str, command: Sequence[str] | None = None, terminal: bool = False
    ) -> None:
        self.table = Table.starting_with(OUTSIDE, pid1=False)
        self.line = 0
        self.frozen = False
        self.output = ""
        self.got: dict[str, list[str]] = {}
        self.unclean: set[str] = set()
        self.beginnings: list[Beginning] = []
        self._init_pid = INIT_PIDS[mode]
        self._opaque = command is not None
        self._builder = HistoryBuilder()
        self._start_init(mode, terminal)
        self._alone = command is not None and not command
        if not self._alone:
            self._start_main(command, terminal)

    @property
    def history(self) -> History:
        return self._builder.history

    def begin(self, beginning: Beginning) -> None:
        """Init is started like that. A perfect one undoes what others have left behind: it goes on as ever."""
        self.beginnings.append(beginning)
        if isinstance(beginning, FreezesInitAfterFork):
            self.frozen = True

    def perform(self, deed: Deed) -> None:
        """One deed, an actor at a time, and what init makes of it. Raises ModelError if it cannot be performed."""
        if deed.traits.doer is Doer.ACTOR and INIT in deed.named[0]:
            raise ModelError("init is the submission: no script can tell it what to do")
        self.line = deed.line
        for _ in self._parts_of(deed):
            self._let_init_run()

    def suppose_main_exits(self, status: int) -> None:
        """For a command of which only the script says how it ends; without one it is init itself that does."""
        self._do(Exit(INIT if self._alone else MAIN, status))
        self._let_init_run()

    def _start_init(self, mode: str, terminal: bool) -> None:
        self._do(Fork(OUTSIDE, INIT, new_namespace=mode == PIDNS))
        self._do(StartSession(INIT))
        if mode == SUBREAPER:
            self._do(BecomeSubreaper(INIT))
        if terminal:
            self._do(TakeTerminal(INIT))
        self._do(Block(INIT, EVERY_SIGNAL))

    def _start_main(self, command: Sequence[str] | None, terminal: bool) -> None:
        self._do(Fork(INIT, MAIN))
        self._do(SetGroup(INIT, MAIN, MAIN))
        if terminal:
            self._do(SetForeground(INIT, MAIN))
        self._do(Unblock(MAIN, EVERY_SIGNAL))
        self._do(Exec(MAIN, tuple(command or (MAIN,))))
        self.unclean.clear()

    def _let_init_run(self) -> None:
        """What a perfect init does until there is nothing left to do: reap, pass on, and leave once main is dead."""
        while True:
            if zombies := [child for child in self.table.children(OUTSIDE) if child.dead]:
                self._do(Wait(OUTSIDE, zombies[0].name))
            elif self.frozen or self.table[INIT].state is not State.RUNNING:
                return
            elif any(child.dead for child in self.table.children(INIT)):
                self._do(Wait(INIT, block=False))
            elif pending := sorted(self.table[INIT].pending_signals, key=signal_number):
                self._do(Accept(INIT, pending[0]))
                self._pass_on(pending[0])
            elif self._alone:
                return
            elif self.table[MAIN].dead:
                status = self.table[MAIN].status or 0
                self._do(Exit(INIT, status if status >= 0 else 128 - status))
            else:
                return

    def _pass_on(self, name: str) -> None:
        if name != "SIGCHLD" and not self._opaque and self.table.members(MAIN):
            self._do(KillGroup(INIT, MAIN, name))

    def _parts_of(self, deed: Deed) -> Iterator[None]:
        """Does it, and yields after the part of each actor: init gets its chance then."""
        match deed:
            case Forks():
                yield from self._do_all(Fork(one, new) for one, new in deed.pairs())
            case Exits(actors, status):
                yield from self._do_all(Exit(name, status) for name in actors)
            case Dies(actors, killer):
                for name in actors:
                    self._die(name, killer)
                    yield
            case Reaps():
                yield from self._do_all(Wait(one, of) for one, of in deed.pairs())
            case Ignores(actors, ignored):
                yield from self._do_all(Ignore(name, ignored) for name in actors)
            case Catches(actors, caught):
                yield from self._do_all(Catch(name, caught) for name in actors)
            case CatchesEverySignal(actors):
                for name in actors:
                    for caught in EVERY_CATCHABLE:
                        self._do(Catch(name, caught))
                    yield
            case Blocks(actors, blocked):
                yield from self._do_all(Block(name, frozenset({blocked})) for name in actors)
            case StartsSession(actors):
                yield from self._do_all(StartSession(name) for name in actors)
            case StartsGroup(actors):
                yield from self._do_all(SetGroup(name, name, name) for name in actors)
            case Stops(actors):
                yield from self._do_all(Kill(name, name, "SIGSTOP") for name in actors)
            case Continues(actors):
                yield from self._do_all(Kill(None, name, "SIGCONT") for name in actors)
            case Says(actors, text):
                for name in actors:
                    self._say(name, text)
                    yield
            case Sends(sent, actors):
                yield from self._do_all(Kill(None, name, sent) for name in actors)
            case SendsOften(sent, actors, times):
                yield from self._do_all(
                    Kill(None, name, sent) for name in actors for _ in range(times)
                )
            case SendsAtAnyMoment(sent):
                yield from self._do_all([Kill(None, INIT, sent)])
            case SendsEverySignal(actors):
                yield from self._do_all(
                    Kill(None, name, sent) for name in actors for sent in EVERY_CATCHABLE
                )
            case Freezes():
                self.frozen = True
                yield
            case Thaws():
                self.frozen = False
                yield
            case TriesToSay(actors, text):
                for name in actors:
                    self._say(name, text)
                    yield
            case Runs() | FillsFile():
                yield  # it runs, and nobody knows what comes of it
            case ExitsLater(signal, actors):
                yield from self._do_all(Catch(name, signal) for name in actors)
            case LetsPass():
                yield  # the model has no clock
            case IsReady():
                yield  # it is no service, and nobody listens
            case Reads():
                yield  # nobody has typed anything
            case Types() | Controls() | Presses() | EndsInput():
                yield  # an init reads nothing
            case LetsExit():
                yield  # nobody is held where an init is judged
            case ThawsMain():
                yield  # it is a command then, of which nobody knows what it does
            case _:
                assert_never(deed)

    def _do_all(self, actions: Iterable[Action]) -> Iterator[None]:
        for action in actions:
            self._do(action)
            yield

    def _say(self, name: str, text: str) -> None:
        state = self.table[name].state
        if state is not State.RUNNING:
            raise ModelError(f"{name} cannot say anything: it is {state}")
        self.output += f"{text}\n"
        self._builder.add("output", name, self.line, text=f"{text}\n")

    def _die(self, name: str, by: str) -> None:
        """The actor makes sure that the signal has its default action, then sends it to itself."""
        if default_action(by) not in (DefaultAction.TERMINATE, DefaultAction.CORE):
            raise ModelError(f"{name} cannot die by {by}: it kills nobody")
        if by not in UNTOUCHABLE:
            self._do(Default(name, by))
            self._do(Unblock(name, frozenset({by})))
        if not self.table[name].dead:  # it may have been pending
            self._do(Kill(name, name, by))

    def _do(self, action: Action) -> None:
        self.table, events = apply(self.table, action)
        for event in events:
            self._tell(event)

    def _tell(self, event: Event) -> None:
        """Into the history goes what somebody who watches the actors can see.

        Not told: an exec of an actor, signals that an actor sends to itself by dying or stopping, and those for init.
        """
        match event.kind:
            case "fork" if event.child is not None:
                self._born(event.child, event.process)
            case "signal" if event.signal is not None:
                if event.signal in self.table[event.process].caught:
                    self.got[event.process].append(event.signal)
                if event.process not in (INIT, event.sender):
                    self._builder.append(event, self.line)
            case "continued":
                entry = self.table[event.process]
                if "SIGCONT" not in entry.caught | entry.blocked:
                    self.got[event.process].append("SIGCONT")
                self._builder.append(event, self.line)
            case "exec" if not self._opaque:
                pass
            case _:
                self._builder.append(event, self.line)

    def _born(self, name: str, parent: str) -> None:
        self.got[name] = []
        entry = self.table[name]
        if entry.blocked or entry.ignored or entry.caught:
            self.unclean.add(name)
        if name == INIT:
            self._builder.start(Process(INIT, self._init_pid, None, reaper=True), self.line)
        else:
            pid = FIRST_PID + len(self._builder.history.processes) - 1
            self._builder.fork(Process(name, pid, parent), self.line)
