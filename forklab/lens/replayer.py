"""Runs one program again and again, by the schedules that it is told: `python -m forklab.lens.replayer REQUEST`.

To start a recorder for each run would take most of the time: this one stays, in one PID namespace, and in each run
everybody has the same pid as in the one before. `forklab.lens.replay` is the other end; REQUEST is JSON as it says
there. No process of the program outlives this one.
"""

from __future__ import annotations

import json
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from forklab.lens.edge.namespace import become_subreaper, die_with_parent, run_as_pid1
from forklab.lens.loop.scheduled import Schedule
from forklab.lens.recorder import Recorder, prepare
from forklab.lens.replay import Played
from forklab.lens.world.chronicle import FIRST

_NS_LAST_PID = Path("/proc/sys/kernel/ns_last_pid")


def serve(request: dict[str, Any], *, in_namespace: bool) -> None:
    """Play one schedule after the other, until nobody asks any more."""
    prepare(processor=request["processor"])
    recorder = Recorder(request)
    schedules = Connection(request["answer"])
    while True:
        try:
            steps = schedules.recv()
        except (EOFError, ConnectionError):
            return
        if in_namespace:
            _NS_LAST_PID.write_text(str(FIRST - 1))
        schedule = Schedule(steps, most=request["most"], ignored=request["ignored"])
        world, refused = recorder.perform(in_namespace=in_namespace, schedule=schedule)
        outcome = world.outcome
        schedules.send(
            Played(
                tuple(schedule.taken),
                world.chronicle.first.status if not schedule.stuck else None,
                outcome.trouble,
                tuple(outcome.reasons),
                schedule.stuck,
                refused or None,
            )
        )


def main(request: dict[str, Any]) -> None:
    """As PID 1 of a namespace if possible, else as a subreaper."""
    die_with_parent()
    if request["namespace"] and run_as_pid1(lambda: serve(request, in_namespace=True)):
        return
    become_subreaper()
    serve(request, in_namespace=False)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
