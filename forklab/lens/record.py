"""Run any program and come back with its exact history.

    recording = record(["./a.out"])
    recording.history.tree()          # how everybody ended
    recording.output                  # what it printed
    recording.status                  # 0 to 255, or minus the number of a signal

In virtual time sleeps cost nothing, and a seed decides who runs when: the same seed gives the same history, byte for
byte. `reasons` says why not, where something takes part that the lens does not control.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from forklab.history import History, Tree
from forklab.lens.world.tracee import Limits
from forklab.steps.state import Move

_GRACE = 10.0  # seconds that the recorder has to kill whom it must

__all__ = ["CannotRecordError", "CannotTraceError", "Limits", "Recording", "record"]


class CannotRecordError(Exception):
    """The program could not be started, or not be traced. The message says why and what to do."""


class CannotTraceError(CannotRecordError):
    """This machine does not let us trace any program; `forklab.lens.untraced.snapshot` needs no tracing."""


@dataclass(frozen=True)
class Recording:
    """A program from its start to its end.

    `status` is that of the first process, as os.waitstatus_to_exitcode() says it; None if the lens had to end it, and
    then `trouble` says why. `cut`: it wrote more than is kept. `reproducible`: the same seed gives the same again;
    else `reasons` has why not. `real_pids`: the numbers that it saw are those of the history; else they were changed
    in the output, and a program that computes with them may show it. `seconds` is how long it took, by its own clock.
    """

    history: History
    output: str
    status: int | None
    seed: int | None
    seconds: float
    real_pids: bool
    reasons: tuple[str, ...] = ()
    cut: bool = False
    trouble: str | None = None

    @property
    def reproducible(self) -> bool:
        return not self.reasons

    @property
    def tree(self) -> Tree:
        return self.history.tree()

    def to_json(self) -> dict[str, Any]:
        """The history's own form, and beside it what else there is to know about this run."""
        killed = self.status is not None and self.status < 0
        return {
            **self.history.to_json(),
            "run": {
                "seed": self.seed,
                "real_time": self.seed is None,
                "exit": None if killed else self.status,
                "signal": signal.Signals(-self.status).name if killed and self.status else None,
                "reproducible": self.reproducible,
                "reasons": list(self.reasons),
                "pids": "real" if self.real_pids else "renumbered",
                "seconds": self.seconds,
                "trouble": self.trouble,
                "output": self.output,
            },
        }


def record(
    argv: Sequence[str],
    *,
    seed: int = 0,
    schedule: Sequence[Move] | None = None,
    ignored: int = 0,
    real_time: bool = False,
    pipe: bool = False,
    limits: Limits | None = None,
    environment: Mapping[str, str] | None = None,
    program: str | None = None,
    hidden_folder: str | None = None,
    stdin: int | None = subprocess.DEVNULL,
    echo: bool = False,
    namespace: bool = True,
    subreaper: bool = False,
) -> Recording:
    """Run `argv` under the lens, to its end or to its `limits`; by `schedule` instead of `seed`, if there is one;
    `ignored` are the signals that it takes no account of, as a bit mask (`forklab.lens.loop.scheduled.Schedule`).

    Its standard output is a terminal, or a pipe with `pipe`; `echo` also writes it to ours while it runs. `program` is
    the file to execute where that is not argv[0]. The name of `hidden_folder` is left out wherever it appears: that of
    a temporary folder is another one each time. `namespace=False` does not even try to get real pids. `subreaper`:
    orphans come to the program, as to an init. Whatever happens here, no process of it is left. Raises
    CannotRecordError.
    """
    path = program or find(argv[0])
    lifeline, ours = os.pipe()
    answer, give_answer = os.pipe()
    request = {
        "program": path,
        "argv": list(argv),
        "environment": environment_for(os.environ if environment is None else environment),
        "seed": seed,
        "real_time": real_time,
        "schedule": None if schedule is None else [list(move) for move in schedule],
        "ignored": ignored,
        "pipe": pipe,
        "limits": asdict(limits or Limits()),
        "echo": echo,
        "namespace": namespace,
        "subreaper": subreaper,
        "lifeline": lifeline,
        "answer": give_answer,
    }
    command = [sys.executable, "-P", "-m", "forklab.lens.recorder", json.dumps(request)]
    recorder = subprocess.Popen(
        command,
        stdin=stdin,
        stdout=None if echo else subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        pass_fds=(lifeline, give_answer),
        start_new_session=True,
    )
    os.close(lifeline)
    os.close(give_answer)
    try:
        with open(answer, encoding="utf-8") as file:
            told = file.read()
        _, complaint = recorder.communicate()
    finally:
        os.close(ours)  # also on Ctrl-C: the recorder now kills everybody and ends
        _make_sure_it_ends(recorder)
    if not told:
        raise failure(complaint.decode(errors="replace").strip())
    if hidden_folder is not None:
        told = told.replace(json.dumps(hidden_folder + "/")[1:-1], "")
    return _read(argv[0], json.loads(told), None if real_time or schedule is not None else seed)


def environment_for(environment: Mapping[str, str]) -> dict[str, str]:
    """What the program finds there.

    Python's sets come in the same order in every run, and its lines in one piece (some containers prevent that).
    """
    return {
        "PYTHONHASHSEED": "0",
        **{k: v for k, v in environment.items() if k != "PYTHONUNBUFFERED"},
    }


def find(name: str) -> str:
    """Raises CannotRecordError."""
    found = shutil.which(name)
    if found is not None:
        return os.path.abspath(found)
    if os.path.isdir(name):
        raise CannotRecordError(f"{name} is a folder, not a program.")
    if os.path.exists(name):
        raise CannotRecordError(f"{name} is not executable. Make it so: chmod +x {name}")
    raise CannotRecordError(f"There is no program {name}.")


def _make_sure_it_ends(recorder: subprocess.Popen[bytes]) -> None:
    try:
        recorder.wait(timeout=_GRACE)
    except subprocess.TimeoutExpired:
        recorder.kill()  # its tracees die with it, and a namespace with its PID 1
        recorder.wait()


def failure(complaint: str) -> CannotRecordError:
    """What a recorder's last words mean."""
    last = (complaint.splitlines() or ["it gave no reason"])[-1]
    if "ptrace(" in last or "seccomp" in last:
        return CannotTraceError(
            f"This machine does not let us trace a program: {last}.\n"
            "  A container needs the capability SYS_PTRACE for it (docker run --cap-add=SYS_PTRACE), and"
            " /proc/sys/kernel/yama/ptrace_scope must be less than 3."
        )
    return CannotRecordError(f"The lens failed: {complaint or last}")


def _read(name: str, told: Mapping[str, Any], seed: int | None) -> Recording:
    if told["refused"]:
        raise CannotRecordError(f"{name} can't be run: {told['refused']}")
    return Recording(
        History.from_json(told["history"]),
        told["output"],
        told["status"],
        seed,
        told["seconds"],
        told["real_pids"],
        tuple(told["reasons"]),
        told["cut"],
        told["trouble"],
    )
