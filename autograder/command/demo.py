"""`autograder demo`: a class to try the grader with."""

from __future__ import annotations

import shutil
from pathlib import Path

from autograder.errors import CommandError
from autograder.labs import demo_class
from autograder.labs.lab import load_lab
from autograder.reports.screen import console, say


def demo(lab_name: str, out: Path) -> int:
    """A class made of the lab's own solutions, starters and mutants."""
    lab = load_lab(lab_name)
    try:
        demo_class.make_class(lab, out)
    except shutil.Error as error:  # of a whole folder: a list of what went wrong
        why = str(error.args[0][0][-1]).rpartition("] ")[2]
        raise CommandError(f"--out {out}: cannot be written ({why}).") from error
    except OSError as error:
        raise CommandError(f"--out {out}: cannot be written ({error.strerror}).") from error
    say(
        console(),
        f"The demo class is in {out}. Grade it: autograder grade {lab_name} {out} --out DIR",
    )
    return 0
