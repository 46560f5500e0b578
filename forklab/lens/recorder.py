"""Traces one program to its end: `python -m forklab.lens.recorder LIFELINE ANSWER REQUEST`, a process of its own.

`forklab.lens.record` is the other end. REQUEST is a `Request`, what is written to the descriptor ANSWER an `Answer`,
both as JSON. No process of the program outlives this one.
"""

from __future__ import annotations

import json
import os
import sys

from forklab.lens.request import RealTime, Request
from forklab.lens.session import CannotSeizeError, Ended, Session, apart, prepare, setting_for


def main(lifeline: str, answer: str, request: str) -> None:
    _record(int(lifeline), int(answer), Request.from_json(request))


def _record(lifeline: int, answer: int, request: Request) -> None:
    os.set_inheritable(answer, False)  # the program shall find none of ours

    def trace(in_namespace: bool) -> None:
        prepare(processor=None if isinstance(request.order, RealTime) else 0)
        session = Session(request, lifeline, in_namespace=in_namespace)
        try:
            text = _answer(session.run(setting_for(request.order)))
        except CannotSeizeError as error:
            text = json.dumps({"untraceable": str(error)})
        with open(answer, "w", encoding="utf-8") as file:
            file.write(text)

    apart(trace, namespace=request.namespace)


def _answer(ended: Ended) -> str:
    """As Answer.from_json() reads it. The history is in JSON's form already."""
    findings, chronicle = ended.run.findings, ended.run.chronicle
    told = {
        "history": chronicle.form,
        "output": "".join(findings.output),
        "status": chronicle.first.status,
        "seconds": round(ended.run.clock.seconds, 6),  # as in the history
        "real_pids": all(member.pid == member.number for member in chronicle.everybody),
        "reasons": list(findings.reasons),
        "remarks": findings.remarks,
        "cut": findings.cut,
        "ended_early": findings.ended_early,
        "lost": findings.lost,
        "refused": ended.refused or None,
    }
    return json.dumps(told)  # not json.dump(): that is the slow way


if __name__ == "__main__":
    main(*sys.argv[1:])
