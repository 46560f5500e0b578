"""What a lab gives its students beside the program to write stands in starter and solution alike."""

from __future__ import annotations

from pathlib import Path

from autograder.labs.lab import load_lab

LABS = sorted(file.parent for file in (Path(__file__).parents[2] / "labs").glob("*/lab.toml"))


def given(lab: Path) -> list[Path]:
    """The files of its starters that are no program of it, and that its solution has as well."""
    programs = set(load_lab(lab).bill.programs)
    files = (file for file in sorted((lab / "starter").glob("*/*")) if file.stem not in programs)
    return [file for file in files if in_the_solution(lab, file).exists()]


def in_the_solution(lab: Path, file: Path) -> Path:
    return lab / "solution" / file.relative_to(lab / "starter")


def test_what_is_given_is_the_same_in_starter_and_solution() -> None:
    files = [(lab, file) for lab in LABS for file in given(lab)]
    assert {file.stem for _, file in files} == {"jobfiles", "unitfile"}
    for lab, file in files:
        assert file.read_bytes() == in_the_solution(lab, file).read_bytes(), file
