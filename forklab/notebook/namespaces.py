"""Programs that need a PID namespace, where this machine refuses one: what they do elsewhere is on record.

Their cells say `%%lens ... --pid-namespace`. Whoever reads notebook 11 in a container can so see its films all the
same; what he changes cannot run there, and is told why. `make outputs` records.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from IPython.core.error import UsageError

from forklab.history import History
from forklab.lens import nested
from forklab.lens.record import Recording, record
from forklab.notebook.cell import Cell

RECORD: Final = Path(__file__).with_name("namespaces.json")
OPTION: Final = "--pid-namespace"
REFUSED: Final = (
    "This machine refuses new PID namespaces, as containers often do (kernel.unprivileged_userns_clone,"
    " user.max_user_namespaces, or a seccomp filter)."
)
_KEPT: Final = ("output", "status", "seed", "seconds", "real_pids")  # beside the history
ON_RECORD: Final = "So this program was not run. What you see is what it did where it may have one."


def recorded(cell: Cell) -> Recording:
    """Raises UsageError if it is another program than that of the notebook."""
    for each in json.loads(RECORD.read_text(encoding="utf-8")):
        if (each["language"], each["text"].strip()) == (cell.language, cell.text.strip()):
            return _recording(each)
    raise UsageError(f"{REFUSED} Your program needs one: it can be run on another machine.")


def _recording(form: dict[str, object]) -> Recording:
    history = History.from_json(form["history"])  # type: ignore[arg-type]
    known = {key: form[key] for key in _KEPT}
    return Recording(history, **known)  # type: ignore[arg-type]


def _record(cell: Cell) -> dict[str, object]:
    with cell.program() as program:
        run = record(program.argv, program=program.path, hidden_folder=program.folder)
    known = {key: getattr(run, key) for key in _KEPT} | {"history": run.history.to_json()}
    return {"language": cell.language, "text": cell.text, **known}


def cells_of(notebook: Path) -> list[Cell]:
    """Those that need a namespace."""
    found = []
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        line, _, text = "".join(cell["source"]).partition("\n")
        words = shlex.split(line) if line.startswith("%%lens ") else []
        if OPTION in words:
            found.append(Cell(words[1], f"{text}\n"))  # as a magic gets it
    return found


def keep(notebooks: Iterable[Path]) -> None:
    """Runs all of them, and keeps what they do. Raises UsageError where none can be had."""
    if nested.is_refused():
        raise UsageError(f"{REFUSED} What is on record stays.")
    records = [_record(cell) for notebook in notebooks for cell in cells_of(notebook)]
    lines = ",\n".join(json.dumps(each, ensure_ascii=False) for each in records)
    RECORD.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
