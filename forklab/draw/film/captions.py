"""What happens at each event of a history, in a sentence that can be read aloud: the captions of a film.

A caption tells what its event brings about as well: who dies is a zombie if nobody waits for it, and the
caption says who should. Nothing here knows of pictures.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from itertools import islice

from forklab.draw.characters import cut, single_line
from forklab.draw.chronology import followers, seconds
from forklab.history import KERNEL, Event, History, Node, State, Tree

LONGEST = 60  # characters of output or of a command line before they are cut
JUMP = 0.1  # seconds between two events from which on it is said how much later it is


def captions(history: History) -> tuple[str, ...]:
    """One sentence an event, without a full stop: "P reaps P.1, which exited with 3".

    Each is one printable line. Raises KeyError if something happens to a process that is not there.
    """
    sentences = []
    before = Tree(())
    following = followers(history)
    leading: dict[str, Event] = {}  # the last event of each process so far
    for event, tree in zip(history.events, history.trees(), strict=True):
        sentences.append(
            single_line(_caption(history, event, before, leading.get(event.process), following))
        )
        leading[event.process] = event
        before = tree
    return tuple(sentences)


def clocks(history: History) -> tuple[str, ...]:
    """The time of each event: "at 10 s", or "at 100 s, 90 s later" where the clock jumped."""
    times = [event.t for event in history.events]
    return tuple(
        f"at {seconds(t)}" + (f", {seconds(t - before)} later" if t - before >= JUMP else "")
        for before, t in zip(times[:1] + times, times, strict=False)
    )


def _caption(
    history: History,
    event: Event,
    before: Tree,
    last: Event | None,
    following: Sequence[Event | None],
) -> str:
    """`before` is the tree that the event finds, `last` the event of the same process before it."""
    who = event.process
    match event.kind:
        case "start":
            adopts = ": it adopts orphans" if history.process(who).reaper else ""
            return f"{who} starts{adopts}"
        case "fork":
            return f"{who} forks {event.child}"
        case "exec":
            return f"{who} runs {_command(event.argv or ())}"
        case "exit":
            return f"{who} exits with {event.status}{_left_behind(history, event, before)}"
        case "killed":
            sender = _sent_by(last) if _is_about(last, event) else ""
            return f"{event.signal} kills {who}{sender}{_left_behind(history, event, before)}"
        case "reaped" if event.by == KERNEL:
            gone = f"the kernel collects {who}, {_ending(event, before[who])}"
            return f"{gone}: {before[who].parent} ignores SIGCHLD, or has set SA_NOCLDWAIT"
        case "reaped":
            return f"{event.by} reaps {who}, {_ending(event, before[who])}"
        case "reparented":
            return f"{who} loses its parent: {event.new} adopts it"
        case "waits":
            return f"{who} waits for {'any child' if event.child is None else event.child}"
        case "sends":
            whom = "itself" if event.to == who else event.to
            return f"{who} sends {event.signal} to {whom}"
        case "signal":
            then = following[event.n]
            verb = "gets" if then is not None and _takes_effect(event, then) else "catches"
            return f"{who} {verb} {event.signal}{_sent_by(event)}"
        case "stopped":
            return f"{event.signal} stops {who}" if event.signal else f"{who} stops"
        case "continued":
            return f"{who} continues"
    written = single_line(event.text or "")
    return f"{who} writes “{cut(written, LONGEST)}”" if written else f"{who} writes an empty line"


def _left_behind(history: History, event: Event, before: Tree) -> str:
    """What is left of a process that ends: a zombie, and whose fault that is."""
    parent = before[event.process].parent
    node = before[parent] if parent is not None and parent in before else None
    at_once = _reaped_at_once_by(history, event)
    if at_once != KERNEL and node is not None and _waits_for(node, event.process):
        return f": {parent}, which waits for it, is told"
    if at_once is not None:
        return ""
    if node is None:
        return ": now a zombie"
    if node.state is State.WAITING:
        return f": now a zombie, because {parent} waits for {node.waits_for} alone"
    return f": now a zombie, because {parent} has not waited"


def _waits_for(parent: Node, child: str) -> bool:
    return parent.state is State.WAITING and parent.waits_for in (None, child)


def _reaped_at_once_by(history: History, end: Event) -> str | None:
    """By whom, if nothing but the adoption of its children happens before it is reaped."""
    for event in _after(history, end):
        if event.kind == "reaped" and event.process == end.process:
            return event.by
        if event.kind != "reparented" or event.old != end.process:
            return None
    return None


def _after(history: History, event: Event) -> Iterator[Event]:
    return islice(history.events, event.n + 1, None)


def _takes_effect(event: Event, then: Event) -> bool:
    """Whether the kernel, not a handler, does what the signal says."""
    if then.kind == "continued":
        return event.signal == "SIGCONT"
    return then.kind in ("killed", "stopped") and then.signal == event.signal


def _is_about(last: Event | None, event: Event) -> bool:
    return last is not None and last.kind == "signal" and last.signal == event.signal


def _sent_by(event: Event | None) -> str:
    if event is None or event.sender is None:
        return ""
    return f" (sent by {'itself' if event.sender == event.process else event.sender})"


def _ending(reaping: Event, node: Node) -> str:
    if node.signal is not None:
        return f"which {node.signal} killed"
    if reaping.status is not None and reaping.status < 0:
        return f"which signal {-reaping.status} killed"
    return f"which exited with {reaping.status}"


def _command(argv: Sequence[str]) -> str:
    """The command line, its program without folders."""
    if not argv:
        return "a program without a name"
    program = posixpath.basename(argv[0]) or argv[0]
    return cut(single_line(" ".join((program, *argv[1:]))), LONGEST) or "a program without a name"
