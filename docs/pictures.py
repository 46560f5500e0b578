"""Draws the pictures of the README: what the lab's starter does to an orphan, and what it should."""

from __future__ import annotations

from pathlib import Path

from autograder.judge import assess
from autograder.lab import load_lab
from forklab.draw import tree_svg

FOLDER = Path(__file__).resolve().parent


def pictures() -> dict[Path, str]:
    """The files and what should be in them."""
    lab = load_lab(FOLDER.parent / "labs" / "init")
    orphan = [scenario for scenario in lab.scenarios if scenario.name == "02_orphan"]
    [verdict] = assess(lab, lab.folder / "starter" / "c", scenarios=orphan).verdicts
    return {
        FOLDER / "expected.svg": tree_svg(
            verdict.expected.tree(), verdict.expected_remarks, "expected"
        ),
        FOLDER / "observed.svg": tree_svg(verdict.observed.tree(), verdict.remarks, "observed"),
    }


if __name__ == "__main__":
    for file, picture in pictures().items():
        file.write_text(picture)
