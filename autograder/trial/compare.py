"""Where an observed tree differs from the expected one, in the words of a badge: "should be reaped by init"."""

from __future__ import annotations

from collections.abc import Collection

from forklab.history import Node, State, Tree, taken_by

_ALIVE = (State.RUNNING, State.WAITING)


def differences(expected: Tree, observed: Tree, ignore: Collection[str] = ()) -> dict[str, str]:
    """What is wrong with each process that is not as it should be, by name, in the order of the expected tree.

    Compared are state, parent and how it ended. Running and waiting are the same here: only somebody who looks can
    tell them apart. So are zombie and reaped for a process without a parent in its tree: whoever reaps it stands
    outside of the play. Once a process is reaped, nobody can see whose child it was.
    """
    found: dict[str, str] = {}
    for node in expected:
        if node.name in ignore:
            continue
        if node.name not in observed:
            found[node.name] = "should exist"
        elif words := _difference(node, observed[node.name], expected):
            found[node.name] = words
    strangers = (node for node in observed if node.name not in expected and node.name not in ignore)
    return found | {node.name: "should not exist" for node in strangers}


def _difference(expected: Node, observed: Node, tree: Tree) -> str:
    """The gravest difference: one of state goes before those of parent and end, which often follow from it."""
    if _standing(expected, tree) != _standing(observed, tree):
        return _should_be(expected, observed)
    wrong = []
    parent = _parent(expected, tree)
    if parent != _parent(observed, tree) and observed.state is not State.REAPED:
        wrong.append(f"should be a child of {parent or 'nobody here'}")
    if _is_dead(expected) and (expected.status, _killer(expected)) != (
        observed.status,
        _killer(observed),
    ):
        wrong.append(f"should have {_end(expected)}")
    return ", ".join(wrong)


def _parent(node: Node, tree: Tree) -> str | None:
    """None for everybody outside of the play: there is nothing to tell them apart by."""
    return node.parent if node.parent in tree else None


def _standing(node: Node, tree: Tree) -> State:
    if node.state in _ALIVE:
        return State.RUNNING
    if node.state is State.ZOMBIE and node.parent not in tree:
        return State.REAPED
    return node.state


def _should_be(expected: Node, observed: Node) -> str:
    match expected.state:
        case State.STOPPED:
            return "should be stopped"
        case State.ZOMBIE if _is_dead(observed):
            return f"should be a zombie: {expected.parent} has not waited"
        case State.REAPED if expected.reaped_by is not None and _is_dead(observed):
            return f"should be {taken_by(expected.reaped_by)}"
        case State.ZOMBIE | State.REAPED:
            return f"should have {_end(expected)}"
    return "should be running"


def _is_dead(node: Node) -> bool:
    return node.state in (State.ZOMBIE, State.REAPED)


def _killer(node: Node) -> str | None:
    return node.signal if _is_dead(node) else None


def _end(node: Node) -> str:
    return f"been killed by {node.signal}" if node.signal is not None else f"exited {node.status}"
