"""From a submission's folder to something runnable, or to words that help."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from autograder.stage.contained import Completed
from autograder.stage.errors import StageError
from autograder.submission import build as build_module
from autograder.submission import intake
from autograder.submission.build import BuiltProgram, build
from autograder.submission.intake import BuildError

PRINTS_HI = '#include <stdio.h>\nint main(void) { puts("hi"); return 0; }\n'
SCRIPT = "#!/bin/sh\necho hi\n"


def run_here(argv: Sequence[str], folder: Path) -> Completed:
    ended = subprocess.run(
        argv,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=60,
        text=True,
        errors="surrogateescape",
    )
    return Completed(ended.returncode, ended.stdout)


def run_out_of_time(argv: Sequence[str], folder: Path) -> Completed:
    return Completed(None, "still going", "it slept")


def must_not_run(argv: Sequence[str], folder: Path) -> Completed:
    raise AssertionError(f"nothing to run here, but {argv} was")


@pytest.fixture
def submission(tmp_path: Path) -> Path:
    folder = tmp_path / "submission"
    folder.mkdir()
    return folder


@pytest.fixture
def built(submission: Path, tmp_path: Path) -> Callable[..., BuiltProgram]:
    def go(run: build_module.Runner = run_here, program: str = "init") -> BuiltProgram:
        workspace = tmp_path / "workspace"
        workspace.mkdir()
        return build(submission, workspace, run, program)

    return go


@pytest.fixture
def complaint(built: Callable[..., BuiltProgram]) -> Callable[..., str]:
    def go(run: build_module.Runner = must_not_run) -> str:
        with pytest.raises(BuildError) as caught:
            built(run)
        return str(caught.value)

    return go


@pytest.fixture(scope="session")
def elf(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("elf")
    (folder / "a.c").write_text(PRINTS_HI)
    subprocess.run(["cc", "-o", "a", "a.c"], cwd=folder, check=True, timeout=60)
    return (folder / "a").read_bytes()


def says_hi(program: BuiltProgram) -> bool:
    return run_here(program.command(program.folder), program.folder) == Completed(0, "hi\n")


def write_executable(path: Path, content: str | bytes) -> None:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(0o755)


def test_c_files_are_compiled_together(submission, built):
    (submission / "init.c").write_text('#include "hi.h"\nint main(void) { return say("hi"); }\n')
    (submission / "hi.c").write_text(
        '#include <stdio.h>\n#include "hi.h"\nint say(const char *s) { return puts(s) < 0; }\n'
    )
    (submission / "hi.h").write_text("int say(const char *s);\n")
    program = built()
    assert program.command(".") == ["./init"]
    assert program.command("/inside") == ["/inside/init"]
    assert says_hi(program)


def test_a_makefile_says_how_to_build(submission, built):
    (submission / "main.c").write_text(PRINTS_HI)
    (submission / "init.py").write_text("a helper of the Makefile's own")
    (submission / "Makefile").write_text("init: main.c\n\tcc -o $@ main.c\n")
    assert says_hi(built())


def test_an_executable_is_taken_as_it_is(submission, built, elf):
    write_executable(submission / "init", elf)
    assert says_hi(built(must_not_run))


def test_a_script_that_names_its_interpreter_is_an_executable(submission, built):
    write_executable(submission / "init", SCRIPT)
    (submission / "init.py").write_text("what the script starts")
    assert says_hi(built(must_not_run))


def test_a_python_file_is_run_by_a_python_outside_of_virtual_environments(submission, built):
    (submission / "init.py").write_text("print('hi')\n")
    (submission / "types.py").write_text("1/0  # must not stand in for Python's own\n")
    program = built()
    assert program.interpreter is not None
    assert sys.prefix == sys.base_prefix or not program.interpreter.startswith(sys.prefix)
    assert program.command("/inside") == [program.interpreter, "/inside/init.py"]
    assert not (program.folder / "__pycache__").exists()
    (program.folder / "types.py").unlink()
    assert says_hi(program)


def test_the_lab_says_how_the_program_is_called(submission, built):
    (submission / "supervisor.py").write_text("print('hi')\n")
    assert says_hi(built(program="supervisor"))


def test_warnings_are_kept(submission, built):
    (submission / "init.c").write_text("int main(void) { int unused; return 0; }\n")
    assert "unused" in built().warnings


def test_the_submission_stays_as_it_was(submission, built):
    (submission / "init.c").write_text(PRINTS_HI)
    built()
    assert [path.name for path in submission.iterdir()] == ["init.c"]


def test_what_was_compiled_elsewhere_is_built_again(submission, built, elf):
    (submission / "init.c").write_text(PRINTS_HI)
    (submission / "Makefile").write_text("init: init.o\n\tcc -o $@ init.o\n")
    for stale in ("init", "init.o"):
        write_executable(submission / stale, elf[:18] + b"\xb7\0" + elf[20:])
    assert says_hi(built())


def test_a_binary_beside_its_source_is_no_second_program(submission, built):
    (submission / "init.c").write_text(PRINTS_HI)
    write_executable(submission / "init", b"\xcf\xfa\xed\xfe and so on")
    assert says_hi(built())


def test_c_that_does_not_compile_fails_with_the_compilers_words(submission, complaint):
    (submission / "init.c").write_text("int main(void) { return nothing; }\n")
    message = complaint(run_here)
    assert message.startswith("Your program could not be built: cc ended with status 1.")
    assert "init.c:1:25" in message
    assert str(submission) not in message


def test_c_without_main_is_told_so(submission, complaint):
    (submission / "init.c").write_text("int mian(void) { return 0; }\n")
    assert complaint(run_here).startswith("There is no function main in init.c")


def test_two_mains_are_told_so(submission, complaint):
    (submission / "a.c").write_text(PRINTS_HI)
    (submission / "b.c").write_text(PRINTS_HI)
    assert complaint(run_here).startswith("More than one of a.c, b.c has a function main.")


def test_a_compiler_that_never_stops_talking_is_cut_short(submission, complaint):
    (submission / "init.c").write_text(PRINTS_HI)
    message = complaint(lambda argv, folder: Completed(1, "first\n" + "x" * 10**6 + "\nlast"))
    assert len(message) < 5000
    assert "first" in message and "last" in message and "characters left out" in message


def test_escape_sequences_of_a_build_are_shown_and_not_sent(submission, complaint):
    (submission / "Makefile").write_text("init:\n\tfalse\n")
    assert "\x1b" not in complaint(lambda argv, folder: Completed(2, "\x1b[2J gone"))


@pytest.mark.parametrize("name", ["Makefile", "init.c", "init.py"])
def test_a_build_without_end_is_stopped(submission, complaint, name):
    (submission / name).write_text("")
    assert "took too long and was stopped: it slept." in complaint(run_out_of_time)


def test_make_that_fails_is_told_with_its_words(submission, complaint):
    (submission / "Makefile").write_text("init:\n\t@echo no luck; exit 7\n")
    message = complaint(run_here)
    assert "make ended with status 2" in message and "no luck" in message


def test_make_that_makes_something_else_is_told_so(submission, complaint):
    (submission / "Makefile").write_text("all:\n\techo all done\n")
    assert complaint(run_here).startswith("make ended well, but it made no file called init.")


def test_python_that_is_not_valid_is_told_with_pythons_words(submission, complaint):
    (submission / "init.py").write_text("import os\nprint('hi'\n")
    message = complaint(run_here)
    assert message.startswith("init.py is not a valid Python program.")
    assert "line 2" in message


def test_a_main_in_cpp_beside_c_is_told_as_what_it_is(submission, complaint):
    (submission / "reap.c").write_text("int reap(void) { return 0; }\n")
    (submission / "init.cpp").write_text(PRINTS_HI)
    message = complaint(run_here)
    assert message.startswith("There is no function main in reap.c")
    assert "init.cpp is C++, and only C is compiled here." in message


@pytest.mark.parametrize("name", ["init", "init.c", "init.py", "Makefile", "homework"])
@pytest.mark.parametrize("kind", ["zip", "tar", "gztar", "bztar", "xztar"])
def test_an_archive_by_another_name_is_told_as_one(submission, complaint, tmp_path, name, kind):
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "init.c").write_text(PRINTS_HI)
    packed = shutil.make_archive(str(tmp_path / "packed"), kind, tmp_path / "work")
    shutil.move(packed, submission / name)
    assert complaint().startswith(f"{name} is an archive, and nobody unpacks it here.\n")


def test_a_missing_compiler_is_not_the_students_fault(submission, built, monkeypatch):
    (submission / "init.c").write_text(PRINTS_HI)
    monkeypatch.setattr(shutil, "which", lambda *_: None)
    with pytest.raises(StageError):
        built(must_not_run)


def test_two_programs_are_one_too_many(submission, complaint):
    (submission / "init.c").write_text(PRINTS_HI)
    (submission / "init.py").write_text("print('hi')\n")
    assert complaint().startswith("The submission has two programs: init.c and init.py.")


def test_a_missing_folder_is_told_so(submission, complaint):
    submission.rmdir()
    assert complaint().startswith("There is no folder ")


def test_a_file_is_no_submission(submission, complaint):
    submission.rmdir()
    submission.write_text(PRINTS_HI)
    assert "is a file. A submission is a folder" in complaint()


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([], "The submission is empty."),
        (["c/init.c"], "There is c/init.c: hand in what is in the folder c."),
        (["data.txt", "notes"], "There is only: data.txt, notes."),
        (["Init.c.txt", "notes"], "rename Init.c.txt to init.c."),
        (["INIT"], "rename INIT to init"),
        (["makefile.MAK", "MAKEFILE"], "rename MAKEFILE to Makefile"),
        (["my_init.py"], "Rename my_init.py to init.py if that is your program."),
        (["init.zip"], "init.zip is an archive, and nobody unpacks it here.\n  Hand in the files"),
        (["notes.txt", "work.tar.gz"], "work.tar.gz is an archive"),
        (["init.tar", "init.py.orig"], "init.tar is an archive"),
        (
            ["init.cpp"],
            "Rename it to init.c if it is C; for C++ hand in a Makefile that makes init",
        ),
        (["MAIN.CPP"], "MAIN.CPP is C++, and only C is compiled here."),
        (["main.cc", "main.h"], "main.cc is C++, and only C is compiled here."),
        (["x.zip", "x/init.c"], "There is x/init.c: hand in what is in the folder x."),
        (["._init.c", ".DS_Store", "__MACOSX/init.c"], "The submission is empty."),
    ],
)
def test_nothing_to_run_is_told_with_what_is_there(submission, complaint, files, message):
    for file in files:
        (submission / file).parent.mkdir(exist_ok=True)
        (submission / file).write_text("x")
    assert message in complaint()


def test_a_link_out_of_the_submission_is_not_followed(submission, complaint, tmp_path):
    (tmp_path / "secret.c").write_text(PRINTS_HI)
    (submission / "init.c").symlink_to(tmp_path / "secret.c")
    message = "init.c is a link that leads out of the submission. Hand in the file itself."
    assert complaint() == message


def test_a_file_with_a_name_outside_of_the_submission_is_not_taken(submission, complaint, tmp_path):
    (tmp_path / "secret.c").write_text(PRINTS_HI)
    (submission / "init.c").hardlink_to(tmp_path / "secret.c")
    assert complaint() == (
        "init.c has a second name outside of the submission (a hard link). "
        "Hand in a copy of it: cp init.c copy && mv copy init.c"
    )


def test_a_file_with_two_names_inside_of_the_submission_is_taken(submission, built):
    (submission / ".git").mkdir()
    (submission / "init.c").write_text(PRINTS_HI)
    (submission / "init.old").hardlink_to(submission / "init.c")
    (submission / ".git" / "x").hardlink_to(submission / "init.c")
    assert says_hi(built())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_whose_a_file_with_many_names_is_its_owner_tells(submission, built, tmp_path):
    """Where students own their folders, nobody is refused because somebody else has linked to a file of theirs."""
    (submission / "init.c").write_text(PRINTS_HI)
    (tmp_path / "theft.c").hardlink_to(submission / "init.c")
    for path in (submission, submission / "init.c"):
        os.chown(path, 4001, 4001)
    assert says_hi(built())
    os.chown(submission, 4002, 4002)
    [entry] = intake.entries(submission)
    assert "a hard link" in entry.refusal


def test_what_was_left_out_is_told_with_what_could_not_be_built(submission, complaint, tmp_path):
    (tmp_path / "more.h").write_text("")
    (submission / "more.h").symlink_to(tmp_path / "more.h")
    (submission / "init.c").write_text('#include "more.h"\nint main(void) { return 0; }\n')
    told = "Left out: more.h is a link that leads out of the submission. Hand in the file itself."
    assert told in complaint(run_here).partition("\n\n")[0]


def test_what_was_left_out_is_told_though_it_was_not_needed(submission, built, tmp_path):
    (submission / "notes").symlink_to(tmp_path)
    (submission / "init.c").write_text(PRINTS_HI)
    [told] = built().left_out
    assert told.startswith("notes is a link that leads out of the submission.")


def test_what_a_mac_leaves_beside_each_file_is_not_compiled(submission, built):
    (submission / "init.c").write_text(PRINTS_HI)
    (submission / "._init.c").write_bytes(b"\0\5\x16\7\0")
    (submission / ".#init.c").symlink_to("ada@host.4711:1")
    (submission / "__MACOSX").mkdir()
    (submission / "__MACOSX" / "._init.c").write_bytes(b"\0\5\x16\7\0")
    program = built()
    assert says_hi(program)
    assert sorted(path.name for path in program.folder.iterdir()) == ["init", "init.c"]
    assert program.left_out == ()


def test_a_link_to_a_folder_outside_is_not_followed(submission, built, tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "more.c").write_text(PRINTS_HI)
    (submission / "linked").symlink_to(tmp_path / "outside")
    (submission / "init.c").write_text(PRINTS_HI)
    assert not (built().folder / "linked").exists()


def test_a_link_inside_of_the_submission_becomes_a_file(submission, built):
    (submission / "real").mkdir()
    (submission / "real" / "init.txt").write_text(PRINTS_HI)
    (submission / "init.c").symlink_to("real/init.txt")
    program = built()
    assert says_hi(program)
    assert not (program.folder / "init.c").is_symlink()


def test_a_named_pipe_does_not_block_anybody(submission, built):
    os.mkfifo(submission / "pipe")
    (submission / "init.c").write_text(PRINTS_HI)
    assert not (built().folder / "pipe").exists()


def test_a_submission_that_is_too_large_is_refused(submission, complaint, monkeypatch):
    monkeypatch.setattr(intake, "MOST_BYTES", 1 << 20)
    with (submission / "core").open("wb") as file:
        file.truncate((1 << 20) + 1)
    assert complaint().startswith("The submission is larger than 1 MB; core is 1,048,577 bytes.")


def test_a_submission_of_too_many_files_is_refused(submission, complaint, monkeypatch):
    monkeypatch.setattr(intake, "MOST_FILES", 3)
    for number in range(4):
        (submission / f"{number}.txt").touch()
    assert complaint().startswith("The submission has more than 3 files.")


def test_folders_in_folders_have_an_end(submission, complaint):
    (submission / "/".join("d" * 30)).mkdir(parents=True)
    assert complaint().startswith("The submission has folders in folders")


def test_execute_permissions_are_kept_and_no_others_made(submission, built):
    (submission / "init.py").write_text("print('hi')\n")
    write_executable(submission / "configure", SCRIPT)
    (submission / "configure").chmod(0o4700)
    folder = built().folder
    modes = {path.name: path.stat().st_mode & 0o7777 for path in folder.iterdir()}
    assert modes == {"init.py": 0o644, "configure": 0o755}


def test_a_name_that_is_no_text_is_copied_and_shown_safely(submission, complaint):
    Path(os.fsdecode(os.fsencode(submission) + b"/\xff\x1b.txt")).touch()
    assert complaint().endswith("There is only: \\xff\\x1b.txt.")


@pytest.mark.parametrize("name", ["init.c", "init.py", "Makefile"])
def test_what_windows_has_saved_as_utf_16_is_told_so(
    submission: Path, built: Callable[..., BuiltProgram], name: str
) -> None:
    (submission / name).write_text(PRINTS_HI, encoding="utf-16")
    with pytest.raises(BuildError, match=f"{name} is written in UTF-16.*\n  Save it as UTF-8."):
        built(must_not_run)
