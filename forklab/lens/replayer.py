"""Runs one program again and again: `python -m forklab.lens.replayer LIFELINE SCHEDULES PROCESSOR REQUEST`.

To start a recorder for each run would take most of the time: this one stays, in one PID namespace, and in each run
everybody has the same pid as in the one before. `forklab.lens.replay` is the other end; on the connection SCHEDULES it
sends schedules and gets `Played`. No process of the program outlives this one.
"""

from __future__ import annotations

import os
import sys
from multiprocessing.connection import Connection

from forklab.lens.loop.scheduled import Scheduled
from forklab.lens.replay import Played
from forklab.lens.request import Request
from forklab.lens.session import CannotSeizeError, Session, apart, prepare, setting_for
from forklab.steps.schedule import Schedule


def main(lifeline: str, schedules: str, processor: str, request: str) -> None:
    _replay(int(lifeline), int(schedules), int(processor), Request.from_json(request))


def _replay(lifeline: int, schedules: int, processor: int, request: Request) -> None:
    os.set_inheritable(schedules, False)  # the program shall find none of ours

    def serve(in_namespace: bool) -> None:
        """Play one schedule after the other, until nobody asks any more."""
        processors = prepare(processor=processor)
        session = Session(request, lifeline, in_namespace=in_namespace, processors=processors)
        connection = Connection(schedules)
        while True:
            try:
                schedule = connection.recv()
            except (EOFError, ConnectionError):
                return
            connection.send(_played(session, schedule))

    apart(serve, namespace=request.namespace)


def _played(session: Session, schedule: Schedule) -> Played:
    setting = setting_for(schedule)
    policy = setting.policy
    assert isinstance(policy, Scheduled)
    try:
        ended = session.run(setting)
    except CannotSeizeError as error:
        return Played(untraceable=str(error))
    findings, first = ended.run.findings, ended.run.chronicle.first
    resources = ended.run.resources
    return Played(
        tuple(policy.taken),
        first.status if not policy.stuck else None,
        findings.ended_early,
        findings.reasons,
        policy.stuck,
        ended.refused or None,
        touched=resources.touched,
        mapped=frozenset(resources.mapped),
        changes_files=ended.run.undo.has_work or ended.run.channels.has_fifos,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
