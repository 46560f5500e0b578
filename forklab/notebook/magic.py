"""The cell magics `%%lens` and `%%units`, which run what is in their cell, and what the next cells know of that."""

from __future__ import annotations

import argparse
import shlex
import sys
from functools import lru_cache
from typing import Any, NoReturn, TypeAlias, cast

from IPython.core.error import UsageError
from IPython.core.getipython import get_ipython
from IPython.display import display

from forklab.bounds import SECONDS
from forklab.history import History, NoProcessError
from forklab.lens import nested
from forklab.lens.record import CannotRecordError, CannotTraceError, Recording, record
from forklab.lens.untraced.snapshot import CannotRunError, Snapshot, snapshot
from forklab.notebook import namespaces, recorded
from forklab.notebook.cell import LANGUAGES, Cell
from forklab.notebook.last import NONE, last
from forklab.notebook.prediction import asked
from forklab.notebook.recorded import OnSystemd
from forklab.notebook.units import Picture, UnitsRun, graph, run_units, timeline
from forklab.notebook.views import Outputs, RunView, all_outputs
from forklab.runnable import CannotCompileError, Runnable

Shell: TypeAlias = Any  # IPython's InteractiveShell, whose methods are not typed


class _Nothing:
    """Stands for what is known of the last program if that did not run: whoever asks is told so in one line."""

    def _refuse(self, *_: object) -> NoReturn:
        raise UsageError(NONE)

    __getattr__ = __len__ = __iter__ = __contains__ = __getitem__ = __eq__ = __ne__ = _refuse
    __hash__ = None  # type: ignore[assignment]


# Of the program in the last cell: `%%lens` puts new ones in their place, in the notebook.
history = cast(History, _Nothing())
output = cast(str, _Nothing())
seen = cast(Recording | Snapshot | UnitsRun, _Nothing())


def lens(line: str, cell: str) -> None:
    """Run this cell's program, show its output and its film. _USAGE says how."""
    shell = _forget_the_last()
    try:
        options = _options(line)
        if options.pid_namespace and nested.is_refused():
            run: Recording | Snapshot = namespaces.recorded(Cell(options.language, cell))
            print(namespaces.REFUSED, namespaces.ON_RECORD, file=sys.stderr)
        else:
            run = look_at(
                *(options.language, cell),
                seed=options.seed,
                pipe=options.pipe,
                real_time=options.real_time,
            )
    except (CannotCompileError, CannotRecordError, CannotRunError) as error:
        raise UsageError(str(error)) from None
    shell.push({"history": run.history, "output": run.output, "seen": run})
    print(run.output, end="" if run.output.endswith("\n") or not run.output else "\n")
    last.cell, last.run = Cell(options.language, cell, options.pipe), run
    display(RunView(run, last.cell.title, options.at))  # type: ignore[no-untyped-call]
    asked.use_for(cell)


def units(line: str, cell: str) -> None:
    """Run this cell's unit files, show the manager's journal and the film of its services."""
    shell = _forget_the_last()
    run = run_units(line, cell)
    shell.push({"history": run.history, "output": run.output, "seen": run})
    print(run.output, end="")
    last.units, last.scene = run, (line, cell)
    display(run)  # type: ignore[no-untyped-call]
    asked.use_for(cell)


def _forget_the_last() -> Shell:
    """No cell shall check the program before this one."""
    shell: Shell = get_ipython()
    shell.push({"history": _Nothing(), "output": _Nothing(), "seen": _Nothing()})
    last.forget()
    return shell


_USAGE = (
    "Begin the cell with %%lens [python|c|sh] [--seed N] [--pipe] [--real-time] [--at SECONDS]"
    " [--pid-namespace]."
)


def _options(line: str) -> argparse.Namespace:
    """Raises UsageError; argparse alone would end the kernel."""
    parser = argparse.ArgumentParser(prog="%%lens", add_help=False, exit_on_error=False)
    parser.add_argument("language", nargs="?", choices=LANGUAGES, default="python")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pipe", action="store_true")
    parser.add_argument("--real-time", action="store_true")
    parser.add_argument("--at", type=float)
    parser.add_argument(namespaces.OPTION, action="store_true")
    try:
        options, unknown = parser.parse_known_args(shlex.split(line))
    except (argparse.ArgumentError, ValueError) as error:
        raise UsageError(f"{error}\n{_USAGE}") from None
    if unknown:
        raise UsageError(f"%%lens knows no {' '.join(unknown)}.\n{_USAGE}")
    return options


def look_at(
    language: str, text: str, *, seed: int = 0, pipe: bool = False, real_time: bool = False
) -> Recording | Snapshot:
    """Run the text of a program. `language` is "c", "python" or "sh".

    Where tracing is refused, that is said on standard error, and a snapshot is all there is. Raises CannotCompileError
    with the compiler's words if it does not compile; what the compiler only warns of goes to standard error.
    """
    with Cell(language, text, pipe).program() as program:
        sys.stderr.write(program.warnings)
        try:
            return record(
                program.argv,
                program=program.path,
                hidden_folder=program.folder,
                seed=seed,
                pipe=pipe,
                real_time=real_time,
            )
        except CannotTraceError as refusal:
            print(refusal, file=sys.stderr)
            return _snapshot(program)


def _snapshot(program: Runnable) -> Snapshot:
    return snapshot([program.path or program.argv[0], *program.argv[1:]])


def outputs(*, seconds: float = SECONDS) -> Outputs:
    """All that the program of the last `%%lens` cell can print, whatever the scheduler does, and how it can end.

    It is looked for once, so that each cell may ask; for more than `seconds` only if it takes longer.
    """
    program = last.program()
    try:
        return _all_outputs(program, seconds)
    except (CannotCompileError, CannotRecordError) as error:
        raise UsageError(" ".join(str(error).split())) from None


def unit_graph() -> Picture:
    """What the units of the last `%%units` cell say of each other."""
    return graph(last.started())


def unit_timeline() -> Picture:
    """How the units of the last `%%units` cell came up."""
    return timeline(last.started())


def on_systemd() -> OnSystemd:
    """What real systemd answered to what the last `%%units` cell types, as it is on record. Shows it."""
    found = recorded.on_systemd(last.started())
    display(found)  # type: ignore[no-untyped-call]
    return found


_all_outputs = lru_cache(maxsize=1)(all_outputs)


def _not_there(
    _shell: object, _kind: object, error: BaseException, _trace: object, **_: object
) -> None:
    """A check asks for a process that the reader's program did not make: no reason for a traceback."""
    print(f"Not yet. There is {error}.")


def prepare(shell: Shell) -> None:
    """Teach IPython our magics, and what to say of processes that there are not."""
    shell.register_magic_function(lens, magic_kind="cell")
    shell.register_magic_function(units, magic_kind="cell")
    shell.set_custom_exc((NoProcessError,), _not_there)
