"""Both layouts are understood; what is no class is told so."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from autograder.errors import CommandError
from autograder.submission.submissions import Submission, choose, find_submissions


def hand_in(root: Path, *files: str) -> None:
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text("int main(void) { return 0; }\n")


def test_a_folder_of_the_lab_inside_the_students_folder(tmp_path: Path) -> None:
    hand_in(tmp_path, "ada/init/init.c", "ada/shell/sh.c")
    assert find_submissions(tmp_path, "init") == [Submission("ada", tmp_path / "ada/init")]


def test_files_right_in_the_students_folder(tmp_path: Path) -> None:
    hand_in(tmp_path, "ada/init.c", "ada/src/reap.c")
    assert find_submissions(tmp_path, "init") == [Submission("ada", tmp_path / "ada")]


def test_who_handed_in_another_lab_only_has_nothing(tmp_path: Path) -> None:
    hand_in(tmp_path, "ada/init/init.c", "ben/shell/sh.c")
    assert find_submissions(tmp_path, "init")[1] == Submission("ben", None)


def test_files_and_hidden_folders_beside_the_students_are_left_alone(tmp_path: Path) -> None:
    hand_in(tmp_path, "ada/init/init.c", ".git/config", "roster.csv")
    assert [s.student for s in find_submissions(tmp_path, "init")] == ["ada"]


def test_names_that_differ_only_in_what_does_not_print_stay_apart(tmp_path: Path) -> None:
    hand_in(tmp_path, "a\nb/init.c", "a\\nb/init.c")
    found = find_submissions(tmp_path, "init")
    assert len({submission.student for submission in found}) == 2
    assert len({submission.folder for submission in found}) == 2


def test_a_name_that_is_no_utf8_is_a_name(tmp_path: Path) -> None:
    hand_in(tmp_path, os.fsdecode(b"caf\xe9/init.c"))
    assert [s.student for s in find_submissions(tmp_path, "init")] == ["caf\\xe9"]


def test_a_missing_folder_is_told_with_its_neighbour(tmp_path: Path) -> None:
    (tmp_path / "submissions").mkdir()
    with pytest.raises(CommandError, match=r"no such folder.\n.*'submissions'"):
        find_submissions(tmp_path / "submision", "init")


def test_an_empty_folder_is_told_what_it_should_look_like(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"no student's folder.*\n.*STUDENT/init/init\.c"):
        find_submissions(tmp_path, "init")


def test_one_submission_is_no_class(tmp_path: Path) -> None:
    hand_in(tmp_path, "init.c", "src/reap.c")
    with pytest.raises(CommandError, match="autograder check init"):
        find_submissions(tmp_path, "init")


def test_a_student_is_chosen_by_name_and_a_typo_gets_the_nearest() -> None:
    everybody = [Submission("ada", Path("a")), Submission("ben", Path("b"))]
    assert choose(everybody, "ben") is everybody[1]
    with pytest.raises(CommandError, match="Did you mean 'ben'"):
        choose(everybody, "bem")
