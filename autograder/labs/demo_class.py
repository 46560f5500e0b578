"""The demo class: the lab's own solutions, starters and mutants as if students had handed them in."""

from __future__ import annotations

import shutil
from pathlib import Path

from autograder.labs.lab import Lab
from autograder.labs.mutants import LANGUAGES, NO_CACHES, load_mutants, write


def make_class(lab: Lab, out: Path) -> list[str]:
    """Makes the demo class in nbgrader's layout, OUT/STUDENT/LAB/files, and returns the students' names.

    The students are solution_c, solution_python, starter_c, starter_python, as far as the lab has them, and one for
    each mutant, mutant_NAME. What these had handed in before is replaced; nothing else in `out` is touched.
    """
    mutants = load_mutants(lab)
    students: list[str] = []
    for kind in ("solution", "starter"):
        for language in LANGUAGES:
            source = lab.folder / kind / language
            if source.is_dir():
                students.append(f"{kind}_{language}")
                shutil.copytree(source, _emptied(out, students[-1], lab), ignore=NO_CACHES)
    for mutant in mutants:
        students.append(f"mutant_{mutant.name}")
        write(mutant, _emptied(out, students[-1], lab))
    return students


def _emptied(out: Path, student: str, lab: Lab) -> Path:
    folder = out / student / lab.name
    shutil.rmtree(folder, ignore_errors=True)
    return folder
