"""What a program looks like when it comes to rest: the lens that needs no tracing.

`snapshot(argv)` runs a program in a process of its own, waits until everybody in it sleeps, writes
down who is whose child, then lets all go. Processes are named by where they stand (P, P.1, P.1.1)
and numbered as in the lecture (P is 1000, then row by row), so that the answer is the same each
time; the numbers in the program's output are changed accordingly. It is a snapshot, not a film:
what came and went before it is not in it.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from forklab.history import History, HistoryBuilder, Process, Remark, State, Tree, pids_from_1000
from forklab.lens.edge.helper import Helper
from forklab.lens.request import Request
from forklab.lens.untraced.sighting import Sighting
from forklab.lens.world.limits import Limits

LENS = "forklab"  # the name of the lens in a tree where it has adopted orphans
LENS_PID = 999
_GRACE = 10.0  # seconds that the runner has beyond the program's

_REASONS = {
    "busy": "It did not come to rest within {seconds:g} seconds, so we ended it. So it stood then.",
    "crowd": "It had more than 200 processes, so we ended it. Does it fork in an endless loop?",
    "flood": "It wrote more than a megabyte, so we ended it. The rest of its output is missing.",
}


class CannotRunError(Exception):
    """The program could not be started, or not be watched; the message says why."""


@dataclass(frozen=True)
class Snapshot:
    """A program at rest, and how it ended.

    `history` has the processes that were there, in the order of their numbers; its tree is the
    picture. `output` is what the program wrote to its terminal, to the end. `statuses` are those
    that the lens was told, by name, as os.waitstatus_to_exitcode() says them: a child for which its
    own parent waits is not among them. `left` names those who slept on when their input had ended and
    their time was over; we killed them. `remarks` has who was blocked in wait(2). `ended_early` says in
    a sentence why it was ended early.
    """

    history: History = field(default_factory=History)
    output: str = ""
    statuses: Mapping[str, int] = field(default_factory=dict)
    left: tuple[str, ...] = ()
    remarks: Mapping[str, Remark] = field(default_factory=dict)
    ended_early: str | None = None

    @property
    def tree(self) -> Tree:
        return self.history.tree()


def snapshot(argv: Sequence[str], *, seconds: float = 10.0) -> Snapshot:
    """Run `argv`, look at it when everybody sleeps, end its input, wait for its end.

    It may take `seconds` for all of that; then it is killed. Whatever happens here, no process of
    it is left behind. Raises CannotRunError if there is no such program, or it can't be executed.
    """
    # The runner looks for the program: why it cannot be executed is for exec(2) to say.
    request = Request.of(argv, program=argv[0], limits=Limits(real_seconds=seconds))
    runner = Helper("forklab.lens.untraced.runner", [request.to_json()], stdout=subprocess.PIPE)
    with runner:
        try:
            answer, complaint, status = runner.answer(seconds + _GRACE)
        except TimeoutError as error:
            raise CannotRunError(f"{argv[0]}: the lens itself hangs; we ended it") from error
    if status != 0:
        raise CannotRunError(f"{argv[0]}: the lens failed: {complaint}")
    seen = Sighting.from_json(answer)
    if seen.refused is not None:
        raise CannotRunError(f"{argv[0]} can't be run: {seen.refused}")
    return _read(seen, seconds)


def _read(seen: Sighting, seconds: float) -> Snapshot:
    """The runner's answer in our names and numbers."""
    nodes = [node for node in seen.nodes if node.pid != seen.runner]
    kernel_names = {node.name: node.pid for node in seen.nodes}
    children: dict[int, list[int]] = {}
    for node in nodes:
        assert node.parent is not None
        children.setdefault(kernel_names[node.parent], []).append(node.pid)
    names = names_by_position(seen.first, seen.runner, children)
    numbers = pids_from_1000(list(names.values()))
    pids = {pid: numbers[name] for pid, name in names.items()}
    ended_early = seen.ended_early and _REASONS[seen.ended_early].format(seconds=seconds)
    return Snapshot(
        _history(names, pids, children, seen),
        renumbered(seen.output, pids),
        {names[pid]: status for pid, status in seen.statuses.items() if pid in names},
        tuple(names[pid] for pid in seen.left if pid in names),
        {
            names[node.pid]: Remark(state=State.WAITING)
            for node in nodes
            if node.state is State.WAITING
        },
        ended_early,
    )


def names_by_position(
    first: int, lens: int, children: Mapping[int, Sequence[int]]
) -> dict[int, str]:
    """Names by pid, row by row from the top: P, P.1, P.2, P.1.1.

    Orphans, whose place is lost, are O1, O2 and so on.
    """
    names = {first: "P"}
    orphans = [pid for pid in children.get(lens, ()) if pid != first]
    names.update((pid, f"O{number}") for number, pid in enumerate(orphans, 1))
    for pid in (rows := list(names)):  # grows while we walk
        for number, child in enumerate(children.get(pid, ()), 1):
            names[child] = f"{names[pid]}.{number}"
            rows.append(child)
    return names


def renumbered(output: str, pids: Mapping[int, int]) -> str:
    """`output` with our numbers for the kernel's.

    Who of two processes writes first is up to the kernel. So if each line tells one of the pids,
    the lines come in the order of the numbers; lines with the same number keep theirs.
    """

    def ours(number: re.Match[str]) -> str:
        return str(pids.get(int(number[0]), number[0]))

    lines = output.splitlines(keepends=True)
    mentioned = [
        [pids[int(number)] for number in re.findall(r"\b\d+\b", line) if int(number) in pids]
        for line in lines
    ]
    if all(mentioned):
        lines = [lines[at] for at in sorted(range(len(lines)), key=lambda at: mentioned[at][0])]
    return re.sub(r"\b\d+\b", ours, "".join(lines))


def _history(
    names: Mapping[int, str],
    pids: Mapping[int, int],
    children: Mapping[int, Sequence[int]],
    seen: Sighting,
) -> History:
    """Forks in the order of the numbers, then who was a zombie or stopped at that moment."""
    builder = HistoryBuilder()
    found = {node.pid: node for node in seen.nodes}
    parents = {child: parent for parent, family in children.items() for child in family}
    orphaned = any(name.startswith("O") for name in names.values())
    if orphaned:
        builder.start(Process(LENS, LENS_PID, None, reaper=True), 0.0)
    for pid, name in names.items():
        if pid not in found:
            continue  # P itself, when only orphans are left of the program
        if parents[pid] in names:
            builder.fork(Process(name, pids[pid], names[parents[pid]]), 0.0)
        else:  # it was there before we looked: below the lens, who has not forked the orphans
            builder.start(Process(name, pids[pid], LENS if orphaned else None), 0.0)
    for pid, node in found.items():
        if pid not in names:
            continue
        match node.state:
            case State.ZOMBIE if node.signal is not None:
                builder.add("killed", names[pid], 0.0, signal=node.signal)
            case State.ZOMBIE:
                builder.add("exit", names[pid], 0.0, status=node.status or 0)
            case State.STOPPED:
                builder.add("stopped", names[pid], 0.0)
    return builder.history
