"""What a notebook imports, and its exercises as a reader solves them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from forklab.history import History, HistoryBuilder, Process
from forklab.lens.snapshot import CannotRunError, Snapshot
from forklab.notebook import Picture, check, compare, endings, lens, look_at

HELLOS = Path(__file__).parents[2] / "notebooks" / "02_how_many_hellos.ipynb"
TWO_FORKS = "    fork();\n    fork();\n    printf"


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[InteractiveShell]:
    """What a notebook's kernel has, in this process, with our magic in it."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    shell = InteractiveShell.instance()
    shell.register_magic_function(lens, magic_kind="cell")
    yield shell
    InteractiveShell.clear_instance()


def family(*names: str) -> History:
    builder = HistoryBuilder()
    builder.start(Process("P", 1000, None), 0.0)
    for number, name in enumerate(names, 1001):
        builder.fork(Process(name, number, "P"), 0.0)
    return builder.history


def cells_of_exercise(number: int) -> tuple[str, str]:
    """The program that the reader changes, and the check in the cell below it."""
    cells: list[dict[str, Any]] = json.loads(HELLOS.read_text())["cells"]
    for at, cell in enumerate(cells):
        if cell["metadata"].get("forklab", {}).get("exercise") == number:
            return "".join(cell["source"]), "".join(cells[at + 1]["source"])
    raise LookupError(number)


def answer_to(shell: InteractiveShell, number: int, change: tuple[str, str] | None = None) -> str:
    """What an exercise's check prints once the reader has replaced one piece."""
    program, checking = cells_of_exercise(number)
    if change is not None:
        assert change[0] in program
        program = program.replace(*change)
    shell.run_cell("from forklab.notebook import *").raise_error()
    with capture_output():
        shell.run_cell(program).raise_error()
    with capture_output() as captured:
        shell.run_cell(checking).raise_error()
    return str(captured.stdout)


def test_a_lens_cell_shows_output_and_tree_and_keeps_both_for_the_next_cells(
    shell: InteractiveShell,
) -> None:
    with capture_output() as captured:
        shell.run_cell("%%lens python\nimport os\nos.fork()\nprint(os.getpid())\nos.read(0, 1)")
    assert captured.stdout == "1000\n1001\n"
    assert captured.outputs[0].data["text/plain"].startswith("P(1000) ─ P.1(1001)\n")
    assert shell.user_ns["output"] == "1000\n1001\n"
    assert [process.name for process in shell.user_ns["history"].processes] == ["P", "P.1"]


def test_the_kernel_itself_neither_forks_nor_adopts(shell: InteractiveShell) -> None:
    with capture_output() as captured:
        shell.run_cell("%%lens python\nimport os\nprint(os.getppid())\nos.read(0, 1)").raise_error()
    assert int(captured.stdout) != os.getpid()
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_a_program_that_does_not_compile_shows_the_compilers_words_and_lines_of_the_cell(
    shell: InteractiveShell,
) -> None:
    shell.push({"history": family("P.1"), "output": "old"})
    with capture_output() as captured:
        shell.run_cell("%%lens c\nint main(void) {\n    fork()\n}")
    assert "cell.c:3:" in captured.stdout + captured.stderr
    assert (shell.user_ns["history"], shell.user_ns["output"]) == (History(), "")


def test_a_warning_of_the_compiler_is_shown_and_the_program_runs(
    capfd: pytest.CaptureFixture[str],
) -> None:
    seen = look_at("c", '#include <stdio.h>\nint main(void) { int x; puts("ran"); getchar(); }')
    assert seen.output == "ran\n"
    assert "unused variable" in capfd.readouterr().err


def test_an_unknown_language_is_said_in_words() -> None:
    with pytest.raises(CannotRunError, match="%%lens c"):
        look_at("rust", "fn main() {}")


def test_without_a_compiler_the_message_says_how_to_get_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    with pytest.raises(CannotRunError, match="apt install gcc"):
        look_at("c", "int main(void) { }")


def test_a_picture_reads_its_tree_aloud_and_scrolls_where_the_screen_is_narrow() -> None:
    seen = Snapshot(family("P.1"), "", {"P": 0, "P.1": 0})
    page = Picture(seen)._repr_mimebundle_()["text/html"]
    assert 'role="img"' in page and "P.1, pid 1001, child of P" in page
    assert "overflow-x: auto" in page


def test_the_same_snapshot_is_the_same_page_to_the_byte() -> None:
    first, second = (Picture(Snapshot(family("P.1", "P.2")))._repr_mimebundle_() for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (Snapshot(family(), "", {"P": 0}), "1 process. It exited with 0."),
        (
            Snapshot(family("P.1"), "", {"P": 0, "P.1": 0}),
            "2 processes. All of them exited with 0.",
        ),
        (Snapshot(family("P.1"), "", {"P": 3}), "2 processes. P exited with 3."),
        (Snapshot(family(), "", {"P": -11}), "1 process. P was killed by SIGSEGV."),
        (
            Snapshot(family(), "", {}, left=("P",)),
            "1 process. P did not end with its input, so we killed it.",
        ),
        (Snapshot(family(), trouble="Too slow."), "1 process. Too slow."),
    ],
)
def test_endings_are_told_in_words(seen: Snapshot, words: str) -> None:
    assert endings(seen) == words


def test_a_program_that_nobody_could_look_at_is_told_how_to_wait() -> None:
    assert "getchar();" in endings(Snapshot(output="hello\n", statuses={"P": 0}))


@pytest.mark.parametrize(
    ("prediction", "words"),
    [
        (None, "It was 4. You made no prediction"),
        (4, "You said 4, and it was 4. Well seen!"),
        (3, "You said 3, but it was 4. Who calls the second fork?"),
        (9, "You said 9, but it was 4. The explanation below tells why."),
    ],
)
def test_a_prediction_is_compared_gently(
    prediction: int | None, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    compare(prediction, 4, {3: "Who calls the second fork?"})
    assert capsys.readouterr().out.startswith(words)


def test_a_check_says_the_first_thing_that_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    check((True, "a"), (False, "b"), (False, "c"))
    check((True, "a"))
    assert capsys.readouterr().out == "Not yet. b\nRight!\n"


@pytest.mark.parametrize("number", [1, 2, 3])
def test_an_exercise_is_not_solved_before_the_reader_begins(
    shell: InteractiveShell, number: int
) -> None:
    assert answer_to(shell, number).startswith("Not yet.")


@pytest.mark.parametrize(
    ("number", "new", "words"),
    [
        (1, "    fork();\n    fork();\n    fork();\n    fork();\n    printf", "Right!\n"),
        (1, "    fork();\n    fork();\n    fork();\n    printf", "Not yet. There are 8 processes."),
        (3, "    if (fork() > 0)\n        fork();\n    printf", "Right!\nP has two children.\n"),
        (3, "    if (fork() == 0)\n        fork();\n    printf", "Right!\nP has a child and a"),
        (3, "    fork();\n    printf", "Not yet. There are 2 processes, and there should be 3."),
    ],
)
def test_a_check_knows_solutions_from_mistakes(
    shell: InteractiveShell, number: int, new: str, words: str
) -> None:
    assert answer_to(shell, number, (TWO_FORKS, new)).startswith(words)


def test_the_hello_before_the_forks_is_printed_once(shell: InteractiveShell) -> None:
    hello = '    printf("hello: %d\\n", getpid());\n'
    moved = ("    fork();\n    fork();\n" + hello, hello + "    fork();\n    fork();\n")
    assert answer_to(shell, 2, moved) == "Right!\n"
