"""What a picture says of a process: one line in plain words, the same wherever it is told."""

from __future__ import annotations

from collections.abc import Callable

from forklab.draw.characters import single_line
from forklab.history import Node, Remark, State, taken_by

SEPARATOR = " · "
ADOPTED = "adopted"  # the word at an edge


def words(
    node: Node,
    remark: Remark | None = None,
    *,
    called: Callable[[str], str] = lambda name: name,
) -> str:
    """The line below the name: "zombie · exited 3 · main has not waited".

    A remark's words replace the whole line, its state replaces the node's. `called` answers what
    another process is called in the picture, where it may stand in a pile with its like. The answer
    is one printable line.
    """
    if remark is not None and remark.words is not None:
        return single_line(remark.words)
    parts = _parts(node, remark or Remark(), called)
    return single_line(SEPARATOR.join(parts))


def state_of(node: Node, remark: Remark | None = None) -> State:
    """The state to draw: what somebody saw goes before what the history says."""
    return remark.state if remark is not None and remark.state is not None else node.state


def ending(node: Node) -> str | None:
    """How a process ended: "exited 3", "killed by SIGKILL"; None if the history does not say."""
    if node.signal is not None:
        return f"killed by {node.signal}"
    return None if node.status is None else f"exited {node.status}"


def _parts(node: Node, remark: Remark, called: Callable[[str], str]) -> list[str]:
    match state_of(node, remark):
        case State.RUNNING:
            return ["running", *_adoption(node, called)]
        case State.WAITING:
            whom = "a child" if node.waits_for is None else called(node.waits_for)
            return [f"waiting for {whom}", *_adoption(node, called)]
        case State.STOPPED:
            return [
                f"stopped by {node.signal}" if node.signal else "stopped",
                *_adoption(node, called),
            ]
        case State.ZOMBIE:
            # The badge of a zombie that should not be one says already who ought to have waited.
            guilty = None if remark.unexpected else node.parent
            waited = [] if guilty is None else [f"{called(guilty)} has not waited"]
            return ["zombie", *_if_known(ending(node)), *waited]
        case State.REAPED:
            by = "reaped" if node.reaped_by is None else taken_by(called(node.reaped_by))
            return [*_if_known(ending(node)), by]


def _adoption(node: Node, called: Callable[[str], str]) -> list[str]:
    return [f"adopted from {', then '.join(map(called, node.former))}"] if node.adopted else []


def _if_known(part: str | None) -> list[str]:
    return [] if part is None else [part]
