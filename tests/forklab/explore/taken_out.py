"""A copy of forklab in which something that was mended is wrong again, to see that somebody would notice."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import forklab

LONGEST = 1200.0  # seconds, on a busy machine


def times_there(file: str, right: str) -> int:
    """How often this stands in that file of forklab."""
    return (Path(forklab.__file__).parent / file).read_text(encoding="utf-8").count(right)


def said_without(
    file: str, right: str, wrong: str, command: str, folder: Path
) -> subprocess.CompletedProcess[str]:
    """What this Python command does below `folder`, with `wrong` for what stands once in a file of forklab."""
    package = folder / "path" / "forklab"
    shutil.copytree(Path(forklab.__file__).parent, package)
    text = (package / file).read_text(encoding="utf-8")
    assert text.count(right) == 1
    (package / file).write_text(text.replace(right, wrong), encoding="utf-8")
    here = Path(__file__).parent
    path = os.pathsep.join(map(str, [package.parent, here, here.parent, here.parent.parent]))
    (folder / "here").mkdir()
    return subprocess.run(
        [sys.executable, "-c", command],
        cwd=folder / "here",
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=LONGEST,
    )
