"""One mode for all machines of a cluster, and whether each of them keeps strangers from what is not theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from autograder.errors import CommandError
from autograder.grading.cluster import Cluster
from autograder.grading.strangers import refuse_strangers
from autograder.language.roles import PIDNS, SUBREAPER, VIRTUAL, VIRTUAL_SUBREAPER
from autograder.safe_text import one_line
from autograder.stage.isolation import ModeChoice, dangers, possible


def common_mode(cluster: Cluster, asked: str | None) -> ModeChoice:
    """What somebody has `asked` for, else the best that each worker can do. Raises CommandError if there is none."""
    able = cluster.ask(possible)
    for mode in _had_for(asked):
        found = [choice for choices in able.values() for choice in choices if choice.mode == mode]
        if len(found) == len(able):
            lacks = dict.fromkeys(lack for choice in found for lack in choice.lacks)
            return ModeChoice(mode, _why(asked, mode, able), tuple(lacks))
    unable = next(w for w, choices in able.items() if asked not in {c.mode for c in choices})
    raise CommandError(
        f"--mode {asked}: the worker at {one_line(unable)} cannot judge so ({able[unable][0].why}).\n"
        "  Leave it out, and the best mode is taken that all workers can do."
    )


def refuse_strangers_there(cluster: Cluster, mode: str) -> None:
    """Raises CommandError if there is a worker on whose machine their work is not to be graded in this mode."""
    for worker, found in cluster.ask(dangers, mode).items():
        refuse_strangers(f"the worker at {one_line(worker)}", found)


def _had_for(asked: str | None) -> Sequence[str]:
    """Of these the first one that all can do, as of a machine alone: see `isolation.default` and `isolation.choose`."""
    if asked is None:
        return VIRTUAL, PIDNS, VIRTUAL_SUBREAPER, SUBREAPER
    return (VIRTUAL, VIRTUAL_SUBREAPER) if asked == VIRTUAL else (asked,)


def _why(asked: str | None, mode: str, able: Mapping[str, Sequence[ModeChoice]]) -> str:
    if asked is not None:
        return "as you asked"
    best = {worker: choices[0] for worker, choices in able.items()}
    if all(choice.mode == mode for choice in best.values()):
        return f"so it is at each worker; {next(iter(best.values())).why}"
    because = (f"; at {one_line(w)} {c.why}" for w, c in best.items() if c.mode == mode)
    return f"the best that all workers can do{next(because, '')}"
