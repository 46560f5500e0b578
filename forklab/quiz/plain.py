"""Trees as a quiz shows them: without pids and without the order of births, which depend on who forks first."""

from __future__ import annotations

from collections.abc import Mapping

from forklab.draw.trees.text import tree_text
from forklab.history import History, Node, Remark, State, Tree


def still_there(tree: Tree) -> Tree:
    """The entries of the process table: who lives, and the zombies. Nobody hangs from somebody who is gone.

    init is among them if it has adopted one of them: whether it ever will is not to be seen yet.
    """
    there = [node for node in tree if node.state is not State.REAPED]
    adopted = any(node.adopted for node in there)
    return Tree(tuple(node for node in there if adopted or not node.reaper))


def gone(tree: Tree) -> tuple[Node, ...]:
    return tuple(node for node in _plain(tree) if node.state is State.REAPED)


def renamed(tree: Tree, names: Mapping[str, str]) -> Tree:
    """With other names, in all places; who is not in `names` keeps his."""

    def new(name: str | None) -> str | None:
        return None if name is None else names.get(name, name)

    return Tree(
        tuple(
            node._replace(
                name=names.get(node.name, node.name),
                parent=new(node.parent),
                former=tuple(names.get(name, name) for name in node.former),
                waits_for=new(node.waits_for),
                reaped_by=new(node.reaped_by),
            )
            for node in tree
        )
    )


def drawn(tree: Tree) -> str:
    return tree_text(_plain(tree))


def family(history: History, words: Mapping[str, str]) -> str:
    """Who forked whom, whatever became of them later, and some words on each; without init."""
    members = history.family()
    nodes = tuple(
        Node(process.name, 0, process.parent, State.RUNNING)
        for process in history.processes
        if process.name in members
    )
    return tree_text(
        _plain(Tree(nodes)), {name: Remark(words=text) for name, text in words.items()}
    )


def _plain(tree: Tree) -> Tree:
    """In the order of the names: P, P.1, P.1.1, P.2."""
    nodes = sorted(tree, key=lambda node: (not node.reaper, _numbers(node.name)))
    return Tree(tuple(node._replace(pid=0) for node in nodes))


def _numbers(name: str) -> list[int]:
    """None in names like a, b, c: those are in order already."""
    return [int(part) for part in name.split(".")[1:]]
