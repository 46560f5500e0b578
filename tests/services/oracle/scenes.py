"""`make oracle`: what real systemd answers to all that is typed in the `%%units` cells of the notebooks.

    python scenes.py ROOT

Only root can do this (boot.sh). Kept as forklab/notebook/systemd.json: a notebook shows it beside our own manager's.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from facts import Record, records
from oracle.systemd import HERE, UNITS, Systemd, booted

from forklab.notebook.recorded import RECORD
from forklab.notebook.units import Answer, Scene

NOTEBOOKS = HERE.parents[2] / "notebooks"
WORDS = {
    **{f"exit{number}": f"exit {number}" for number in (0, 1, 143)},
    **{
        name.lower(): f"SIG{name}"
        for name in ("TERM", "HUP", "INT", "PIPE", "KILL", "SEGV", "ABRT")
    },
    "timeout": "a start that takes too long",
}
_TERMINAL = "LANG=C.UTF-8 SYSTEMD_COLORS=0 SYSTEMD_PAGER= COLUMNS=100 TZ=UTC"


def scenes() -> Iterator[Scene]:
    """Those behind which a notebook shows what systemd said."""
    for notebook in sorted(NOTEBOOKS.glob("*.ipynb")):
        scene = None
        for cell in json.loads(notebook.read_text())["cells"]:
            text = "".join(cell["source"])
            if text.startswith("%%units"):
                scene = Scene.of(*text.removeprefix("%%units").split("\n", 1))
            elif "= on_systemd()" in text and scene:
                yield scene


def played(systemd: Systemd, scene: Scene) -> dict[str, object]:
    """Nothing of it is left."""
    systemd.run("journalctl", "--quiet", "--rotate", "--vacuum-time=1us")
    for name, text in scene.files.items():
        systemd.write(f"{UNITS}/{name}", text)
        systemd.run("chmod", "644", f"{UNITS}/{name}")
    systemd.control("daemon-reload")
    answers = []
    for line in scene.typed:
        done = systemd.run("sh", "-c", f"export {_TERMINAL}\n{{ {line}\n}} 2>&1")
        answers.append(Answer(line, done.out, done.status))
    systemd.control("stop", *scene.files)
    systemd.control("disable", *scene.files)
    systemd.run("rm", *(f"{UNITS}/{name}" for name in scene.files))
    systemd.control("daemon-reload")
    systemd.control("reset-failed")
    return {"files": scene.files, "answers": [asdict(each) for each in answers]}


def restarts(found: Mapping[str, Record]) -> dict[str, dict[str, bool]]:
    """Of the fact about the whole table: after which ends (tm-POLICY-END.service) it was started again."""
    table: dict[str, dict[str, bool]] = {}
    for unit, state in found["restart-matrix"].end.items():
        policy, _, end = unit.removeprefix("tm-").removesuffix(".service").rpartition("-")
        table.setdefault(policy, {})[WORDS[end]] = state.endswith("/1")
    return table


def main(root: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        act = Path(scratch, "act")
        subprocess.run(["cc", "-std=gnu11", "-static", "-o", act, HERE / "act.c"], check=True)
        with booted(root, Path(scratch, "lab"), act) as systemd:
            systemd.run("hostname", "debian")  # in a namespace of its own
            found = [played(systemd, each) for each in scenes()]
            form = {
                "systemd": systemd.version,
                "recorded": date.today().isoformat(),
                "scenes": found,
            }
    form["restart"] = restarts(records("252"))
    RECORD.write_text(json.dumps(form, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
