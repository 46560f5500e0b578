"""`autograder new-lab`: a lab to begin with."""

from __future__ import annotations

from pathlib import Path

from autograder.labs.scaffold import make_lab
from autograder.reports.screen import console, say


def new_lab(name: str, role: str) -> int:
    """Makes ./labs/NAME, where every other command looks for it first."""
    folder = make_lab(name, role, Path("labs"))
    say(
        console(),
        f"The lab is in {folder}, and can be graded as it is: make grade LAB={name}\n"
        f"  What is to be written: grep -rn TODO {folder}\n"
        '  How to go on: CONTRIBUTING.md, "Add a lab"',
    )
    return 0
