"""One action on a process table: who may do it, what it changes, which error the kernel would give instead.

`apply` is the whole interface. Each rule below it is one system call.
"""

from __future__ import annotations

from collections.abc import Iterable

from forklab.history import Event, State, taken_by
from forklab.kernel.signals import UNTOUCHABLE, signal_number
from forklab.kernel.statuses import how_it_ended
from forklab.model.actions import (
    Accept,
    Action,
    BecomeSubreaper,
    Block,
    Catch,
    Default,
    Disposition,
    Exec,
    Exit,
    Fork,
    Ignore,
    Kill,
    KillGroup,
    SetForeground,
    SetGroup,
    StartSession,
    TakeTerminal,
    Unblock,
    Wait,
)
from forklab.model.consequences import Unfolding
from forklab.model.table import ANY_CHILD, NO_SIGNALS, Entry, ModelError, Table


def apply(table: Table, action: Action) -> tuple[Table, tuple[Event, ...]]:
    """The table after `action`, and what happened, in causal order.

    The events are numbered from 0, all at time 0: whoever tells a longer story numbers them anew. Raises ModelError if
    the action cannot be done; what is impossible for want of sense (the dead act) has no `errno` there.
    """
    now = Unfolding(table)
    match action:
        case Fork():
            _fork(now, action)
        case Exec():
            _exec(now, action)
        case Exit(process, status):
            _actor(now, process, "exit")
            now.tell("exit", process, status=status & 0xFF)
            now.die(process, status & 0xFF)
        case Wait():
            _wait(now, action)
        case Kill(sender, process, signal):
            _check_sender(now, sender, signal)
            _check_exists(now, process)
            now.send(sender, process, signal)
        case KillGroup():
            _kill_group(now, action)
        case Default() | Ignore() | Catch():
            _set_disposition(now, action)
        case Block(process, signals):
            entry = _actor(now, process, "block a signal")
            # "It is not possible to block SIGKILL or SIGSTOP. Attempts to do so are silently
            # ignored." (sigprocmask(2))
            now.change(process, blocked=entry.blocked | (_known(signals) - UNTOUCHABLE))
        case Unblock(process, signals):
            entry = _actor(now, process, "unblock a signal")
            now.change(process, blocked=entry.blocked - _known(signals))
            now.deliver(process)
        case Accept():
            _accept(now, action)
        case SetGroup():
            _set_group(now, action)
        case StartSession(process):
            _start_session(now, process)
        case BecomeSubreaper(process):
            _actor(now, process, "become a subreaper")
            now.change(process, subreaper=True)
        case TakeTerminal(process):
            if _actor(now, process, "take a terminal").session != process:
                raise ModelError(
                    f"{process} is no session leader: it cannot take a terminal", "EPERM"
                )
            now.foreground[process] = now[process].group
        case SetForeground():
            _set_foreground(now, action)
    return now.table, tuple(now.events)


def _actor(now: Unfolding, name: str, deed: str) -> Entry:
    """The entry of a process that is about to do something; ModelError if it is in no state to act."""
    entry = now[name]
    match entry.state:
        case State.RUNNING:
            return entry
        case State.ZOMBIE | State.REAPED:
            assert entry.status is not None
            raise ModelError(f"{name} cannot {deed}: it {how_it_ended(entry.status)}")
        case State.STOPPED:
            raise ModelError(f"{name} cannot {deed}: it is stopped")
        case State.WAITING:
            raise ModelError(f"{name} cannot {deed}: it is blocked, waiting for {entry.waits_for}")


def _check_exists(now: Unfolding, name: str) -> None:
    if (reaper := now[name].reaped_by) is not None:
        raise ModelError(f"{name} is gone: it has been {taken_by(reaper)}", "ESRCH")


def _known(signals: Iterable[str]) -> frozenset[str]:
    for signal in signals:
        signal_number(signal)
    return frozenset(signals)


def _fork(now: Unfolding, action: Fork) -> None:
    """The child inherits dispositions, mask, group and session, but not what is pending (fork(2)).

    "The setting is not inherited by children created by fork(2)": a subreaper's child is none (prctl(2)).
    """
    parent = _actor(now, action.process, "fork")
    if action.child in now.entries:
        raise ModelError(
            f"there is a process called {action.child} already: names are not used twice"
        )
    now.adoptions += 1
    now.entries[action.child] = Entry(
        action.child,
        action.process,
        parent.group,
        parent.session,
        adopted_at=now.adoptions,
        pid1=action.new_namespace,
        ignored=parent.ignored,
        caught=parent.caught,
        blocked=parent.blocked,
    )
    now.tell("fork", action.process, child=action.child)


def _exec(now: Unfolding, action: Exec) -> None:
    """ "The dispositions of any signals that are being caught are reset to the default" (execve(2)).

    Ignored signals stay ignored; mask and pending signals stay (signal(7)).
    """
    _actor(now, action.process, "exec")
    now.change(action.process, caught=NO_SIGNALS, execed=True)
    now.tell("exec", action.process, argv=action.argv)


def _wait(now: Unfolding, action: Wait) -> None:
    """Reaps a zombie if there is a fitting one, else blocks; with WNOHANG it returns instead, and nothing happened."""
    _actor(now, action.process, "wait")
    wanted = ANY_CHILD if action.child is None else now[action.child].name
    if not now.table.can_wait(action.process, wanted):
        lack = "has no children" if action.child is None else f"has no child called {wanted}"
        raise ModelError(f"{action.process} {lack} to wait for", "ECHILD")
    if zombie := now.table.zombie_for(action.process, wanted):
        now.reap(action.process, zombie)
    elif action.block:
        now.change(action.process, waits_for=wanted)


def _check_sender(now: Unfolding, sender: str | None, signal: str) -> None:
    signal_number(signal)
    if sender is not None:
        _actor(now, sender, f"send {signal}")


def _kill_group(now: Unfolding, action: KillGroup) -> None:
    """Everybody in the group is sent the signal before anybody acts on it, so the order of birth is as good as any."""
    _check_sender(now, action.sender, action.signal)
    members = now.table.members(action.group)
    if not members:
        raise ModelError(f"the process group of {action.group} has no members", "ESRCH")
    for member in members:
        now.send(action.sender, member.name, action.signal)


def _set_disposition(now: Unfolding, action: Disposition) -> None:
    process, signal = action.process, action.signal
    entry = _actor(now, process, f"change what {signal} does")
    signal_number(signal)
    if signal in UNTOUCHABLE:
        raise ModelError(f"{process} cannot change what {signal} does: nobody can", "EINVAL")
    chosen, one = type(action), frozenset({signal})
    now.change(
        process,
        ignored=entry.ignored | one if chosen is Ignore else entry.ignored - one,
        caught=entry.caught | one if chosen is Catch else entry.caught - one,
    )
    now.disposition_changed(process, signal)


def _accept(now: Unfolding, action: Accept) -> None:
    entry = _actor(now, action.process, f"accept {action.signal}")
    pending = list(entry.pending)
    for position, (signal, _) in enumerate(pending):
        if signal == action.signal:
            del pending[position]
            return now.change(action.process, pending=tuple(pending))
    raise ModelError(f"{action.signal} is not pending for {action.process}", "EAGAIN")


def _set_group(now: Unfolding, action: SetGroup) -> None:
    """The errors are those of setpgid(2), in the order in which Linux looks for them."""
    caller, target = _actor(now, action.process, "move to a group"), now[action.target]
    failure = f"{action.process} cannot put {action.target} into the group of {action.group}"
    if target.name != caller.name:
        if target.parent != caller.name or target.reaped_by is not None:
            raise ModelError(f"{failure}: {action.target} is neither itself nor its child", "ESRCH")
        if target.session != caller.session:
            raise ModelError(f"{failure}: {action.target} is in another session", "EPERM")
        if target.execed:
            raise ModelError(f"{failure}: {action.target} has called execve", "EACCES")
    if target.session == target.name:
        raise ModelError(f"{failure}: {action.target} leads a session", "EPERM")
    if action.group != action.target:
        sessions = {member.session for member in now.table.members(action.group)}
        if caller.session not in sessions:
            raise ModelError(f"{failure}: there is no such group in its session", "EPERM")
    now.change(action.target, group=action.group)


def _start_session(now: Unfolding, process: str) -> None:
    """Fails for a group leader: as long as there is a group whose id is the caller's pid (setsid(2))."""
    _actor(now, process, "start a session")
    if now.table.members(process):
        raise ModelError(f"{process} cannot start a session: it leads a process group", "EPERM")
    now.change(process, group=process, session=process)


def _set_foreground(now: Unfolding, action: SetForeground) -> None:
    session = _actor(now, action.process, "set the foreground group").session
    if session not in now.foreground:
        raise ModelError(f"the session of {action.process} has no terminal", "ENOTTY")
    if all(member.session != session for member in now.table.members(action.group)):
        raise ModelError(f"no group {action.group} in the session of {action.process}", "EPERM")
    now.foreground[session] = action.group
