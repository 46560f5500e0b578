"""The legend: made-up processes, drawn by the same code as all others, so it cannot go stale."""

from __future__ import annotations

from functools import cache

from forklab.draw.trees.picture import draw
from forklab.draw.trees.plan import plan
from forklab.history import Node, Remark, State, Tree

_ROOT = Node("parent", 0, None, State.WAITING, reaper=True)
_MEANINGS = (
    (_ROOT, "double line: it adopts orphans"),
    (Node("running", 0, "parent", State.RUNNING), "it runs, or it could"),
    (Node("waiting", 0, "parent", State.WAITING), "bar: blocked in wait until a child ends"),
    (Node("stopped", 0, "parent", State.STOPPED), "dashed: by a signal, until SIGCONT"),
    (Node("zombie", 0, "parent", State.ZOMBIE), "square, dashed: ended, not yet waited for"),
    (Node("reaped", 0, "parent", State.REAPED), "dotted: reaped, or collected by the kernel: gone"),
    (
        Node("orphan", 0, "parent", State.RUNNING, former=("reaped",)),
        "its first parent ended: dotted line",
    ),
    (Node("surprise", 0, "parent", State.ZOMBIE), "thick line, and what should be instead"),
)


@cache
def legend_svg(*, styled: bool = True) -> str:
    """What each look means, as one <svg> element; `styled` as in `tree_svg`."""
    tree = Tree(tuple(node for node, _ in _MEANINGS))
    remarks = {node.name: Remark(words=meaning) for node, meaning in _MEANINGS}
    remarks["surprise"] = Remark(words=_MEANINGS[-1][1], unexpected="should be reaped")
    return draw(plan(tree, remarks, sideways=True), styled=styled)
