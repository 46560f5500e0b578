"""Both layouts are understood; what is no class is told so."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from autograder.errors import CommandError
from autograder.submission.submissions import (
    Submission,
    archives_in,
    choose,
    doubts,
    find_submissions,
    state_of,
)


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


@pytest.mark.parametrize(
    ("files", "meant"),
    [
        (["ben/hw3/init.c"], "There is hw3: if that is it, call it init."),
        (["ben/Init/init.c", "ben/shell/sh.c"], "There is Init: if that is it, call it init."),
        (["ben/shell/sh.c", "ben/timeout/t.c"], ""),
    ],
)
def test_who_called_the_folder_otherwise_is_told(
    tmp_path: Path, files: list[str], meant: str
) -> None:
    hand_in(tmp_path, "ada/init/init.c", *files)
    _, ben = find_submissions(tmp_path, "init")
    assert ben.folder is None
    assert ben.obstacle.partition("\n  ")[2] == meant


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


def test_a_folder_that_cannot_be_read_does_not_stop_the_class(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_in(tmp_path, "ada/init.c", "ben/init.c")
    may = os.access  # root may everything
    shut = tmp_path / "ben"
    monkeypatch.setattr(os, "access", lambda path, mode: path != shut and may(path, mode))
    ada, ben = find_submissions(tmp_path, "init")
    assert (ada.obstacle, ben.obstacle) == ("", "The folder cannot be read: Permission denied.")


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


def test_a_folder_of_another_name_is_found_if_it_is_given(tmp_path: Path) -> None:
    hand_in(tmp_path, "ada/hw3/init.c", "ben/init.c", "chen/init/init.c")
    found = find_submissions(tmp_path, "init", assignment="hw3")
    assert [s.folder for s in found] == [tmp_path / "ada/hw3", None, None]


@pytest.mark.parametrize("name", ["", "..", ".", "a/b", "/etc"])
def test_an_assignment_is_the_name_of_a_folder(tmp_path: Path, name: str) -> None:
    hand_in(tmp_path, "ada/init/init.c")
    with pytest.raises(CommandError, match="give the name of a folder"):
        find_submissions(tmp_path, "init", assignment=name)


def test_a_class_that_handed_in_nothing_is_told_what_it_has(tmp_path: Path) -> None:
    hand_in(tmp_path, "ada/hw 3/init.c", "ben/hw 3/init.c", "ben/hw2/a.c", "chen/.git/config")
    with pytest.raises(CommandError, match=r"hw 3 \(2\), hw2 \(1\).*--assignment 'hw 3'"):
        find_submissions(tmp_path, "init")


def test_where_some_have_another_folder_it_is_told_of_all_who_have_it(tmp_path: Path) -> None:
    hand_in(tmp_path, "ada/init/init.c", "ben/Init/init.c")
    hand_in(tmp_path, *(f"{student}/hw 3/init.c" for student in ("chen", "dora", "emil")))
    assert list(doubts(find_submissions(tmp_path, "init"), "init")) == [
        "3 of 5 students have nothing in a folder init, but a folder hw 3: if that is it, --assignment 'hw 3'"
    ]


def test_who_names_a_folder_of_classes_is_told_where_the_class_is(tmp_path: Path) -> None:
    """nbgrader's source/LAB would be a student called source, who has handed in."""
    hand_in(
        tmp_path, "source/init/init.c", "submitted/ada/init/init.c", "submitted/ben/init/init.c"
    )
    with pytest.raises(
        CommandError, match=r"submitted in it is one, of \w+ and others\.\n  Grade .*/submitted"
    ):
        find_submissions(tmp_path, "init")
    assert len(find_submissions(tmp_path / "submitted", "init")) == 2


@pytest.mark.parametrize("files", [[], [".DS_Store", "._x"], ["timestamp.txt"]])
def test_a_class_of_empty_folders_has_handed_in_nothing(tmp_path: Path, files: list[str]) -> None:
    (tmp_path / "ada" / "init").mkdir(parents=True)
    hand_in(tmp_path, *(f"ada/init/{file}" for file in files))
    with pytest.raises(CommandError, match="init\\.\n  The students' folders are empty"):
        find_submissions(tmp_path, "init")


def test_who_has_an_empty_folder_of_the_lab_has_handed_in_nothing(tmp_path: Path) -> None:
    (tmp_path / "ada" / "init").mkdir(parents=True)
    hand_in(tmp_path, "ben/init/init.c")
    ada, _ = find_submissions(tmp_path, "init")
    assert ada.folder is None
    assert "the folder init is empty" in ada.obstacle


def test_files_beside_an_empty_folder_of_the_lab_are_the_submission(tmp_path: Path) -> None:
    (tmp_path / "ada" / "init").mkdir(parents=True)
    hand_in(tmp_path, "ada/init.c")
    assert find_submissions(tmp_path, "init")[0].folder == tmp_path / "ada"


def test_what_a_mac_packs_beside_the_students_is_no_student(tmp_path: Path) -> None:
    hand_in(tmp_path, "ada/init/init.c", "__MACOSX/ada/._init.c")
    assert [s.student for s in find_submissions(tmp_path, "init")] == ["ada"]


@pytest.mark.parametrize("link", ["ben", "ben/init"])
def test_a_folder_that_is_a_link_to_somebody_elses_is_not_followed(
    tmp_path: Path, link: str
) -> None:
    hand_in(tmp_path, "ada/init/init.c")
    (tmp_path / link).parent.mkdir(exist_ok=True)
    (tmp_path / link).symlink_to(tmp_path / link.replace("ben", "ada"))
    ada, ben = find_submissions(tmp_path, "init")
    assert ada.obstacle == ""
    assert "is a link" in ben.obstacle and "the folder itself" in ben.obstacle


def test_a_link_to_another_folder_of_ones_own_is_followed(tmp_path: Path) -> None:
    hand_in(tmp_path, "ada/second try/init.c")
    (tmp_path / "ada" / "init").symlink_to("second try")
    assert find_submissions(tmp_path, "init")[0].obstacle == ""


def test_a_class_of_nothing_but_links_is_refused(tmp_path: Path) -> None:
    hand_in(tmp_path, "elsewhere/init.c")
    (tmp_path / "class").mkdir()
    (tmp_path / "class" / "ada").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CommandError, match="Put the folder itself"):
        find_submissions(tmp_path / "class", "init")


def test_archives_beside_the_students_are_named(tmp_path: Path) -> None:
    hand_in(tmp_path, "ben.zip", "ada.tar.gz", "roster.csv")
    assert archives_in(tmp_path) == ["ada.tar.gz", "ben.zip"]
    with pytest.raises(CommandError, match=r"Unpack each .*: ada\.tar\.gz, ben\.zip"):
        find_submissions(tmp_path, "init")


def test_a_submission_is_the_same_as_long_as_its_files_say_the_same(tmp_path: Path) -> None:
    """Whoever collects a class again may give all files another time, or keep that of a file which was changed."""
    hand_in(tmp_path, "ada/init.c")
    file = tmp_path / "ada" / "init.c"
    submission = Submission("ada", tmp_path / "ada")
    before = state_of(submission)
    os.utime(file, (1, 1))
    (tmp_path / "ada" / ".DS_Store").touch()
    assert state_of(submission) == before
    file.write_text(file.read_text().replace("return 0", "return 1"))
    os.utime(file, (1, 1))
    changed = state_of(submission)
    file.chmod(0o755)
    file.rename(file.with_name("main.c"))
    assert len({before, changed, state_of(submission), state_of(Submission("ada", None))}) == 4


def test_to_tell_submissions_apart_nobody_waits_for_a_pipe(tmp_path: Path) -> None:
    hand_in(tmp_path, "ada/init.c")
    os.mkfifo(tmp_path / "ada" / "pipe")
    assert state_of(Submission("ada", tmp_path / "ada"))
