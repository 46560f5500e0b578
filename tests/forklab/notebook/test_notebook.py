"""What a notebook imports: the cell magic, predictions, and words for the reader."""

from __future__ import annotations

import os
from typing import Any

import psutil
import pytest
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from forklab.history import History, HistoryBuilder, NoProcessError, Process
from forklab.lens.record import CannotTraceError, Recording, record
from forklab.lens.untraced.snapshot import Snapshot
from forklab.notebook import check, look_at
from forklab.notebook.summary import how_it_went
from forklab.notebook.views import RunView
from forklab.runnable import CannotCompileError


def family(*names: str) -> History:
    builder = HistoryBuilder()
    builder.start(Process("P", 1000, None), 0.0)
    for number, name in enumerate(names, 1001):
        builder.fork(Process(name, number, "P"), 0.0)
    return builder.history


def test_a_lens_cell_shows_output_and_film_and_keeps_both_for_the_next_cells(
    shell: InteractiveShell,
) -> None:
    with capture_output() as captured:
        shell.run_cell("%%lens python\nimport os\nif os.fork(): os.wait()\nprint(os.getpid())")
    assert captured.stdout == "1001\n1000\n"
    shown = captured.outputs[0].data
    assert shown["text/plain"].startswith("P(1000) ─ P.1(1001)\n2 processes.")
    assert 'class="forklab-film' in shown["text/html"]
    assert shell.user_ns["output"] == "1001\n1000\n"
    assert shell.user_ns["history"].family() == {"P": ["P.1"], "P.1": []}
    assert shell.user_ns["seen"].status == 0


def test_the_kernel_itself_neither_forks_nor_adopts(shell: InteractiveShell) -> None:
    before = set(psutil.Process().children())  # those of other tests, as a browser
    with capture_output() as captured:
        shell.run_cell("%%lens python\nimport os\nprint(os.getppid())").raise_error()
    assert int(captured.stdout) != os.getpid()
    assert set(psutil.Process().children()) <= before


def test_a_cell_can_be_in_c_python_and_shell(shell: InteractiveShell) -> None:
    hello = '#include <stdio.h>\nint main(void) { puts("hi"); }'
    for cell in (f"%%lens c\n{hello}", "%%lens\nprint('hi')", "%%lens sh\necho hi"):
        with capture_output() as captured:
            shell.run_cell(cell).raise_error()
        assert captured.stdout == "hi\n"


def test_a_seed_another_order(shell: InteractiveShell) -> None:
    orders = set()
    for seed in range(8):
        with capture_output() as captured:
            shell.run_cell(
                f"%%lens sh --seed {seed}\necho a & echo b & echo c & wait"
            ).raise_error()
        orders.add(captured.stdout)
    assert len(orders) > 1
    assert {"".join(sorted(order.split())) for order in orders} == {"abc"}


def test_a_pipe_shows_what_fork_copies(shell: InteractiveShell) -> None:
    program = '#include <stdio.h>\n#include <unistd.h>\nint main(void) { puts("hi"); fork(); }'
    for option, lines in (("", 1), ("--pipe", 2)):
        with capture_output() as captured:
            shell.run_cell(f"%%lens c {option}\n{program}").raise_error()
        assert captured.stdout == "hi\n" * lines


def test_a_traceback_names_the_cell_and_no_folder(shell: InteractiveShell) -> None:
    with capture_output() as captured:
        shell.run_cell("%%lens python\nimport os\nraise OSError").raise_error()
    assert 'File "cell.py", line 3, in <module>' in captured.stdout
    assert "cell.py" in captured.outputs[0].data["text/html"]
    assert "/tmp" not in captured.outputs[0].data["text/html"]


def test_a_film_opens_at_the_moment_that_was_asked_for(shell: InteractiveShell) -> None:
    program = "import os, time\nif os.fork(): time.sleep(100)\nelse: os._exit(3)"
    with capture_output() as captured:
        shell.run_cell(f"%%lens python --at 50\n{program}").raise_error()
    assert (
        "P.1(1001) zombie · exited 3 · P has not waited" in captured.outputs[0].data["text/plain"]
    )


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("rust", "invalid choice: 'rust'"),
        ("c --seed many", "invalid int value: 'many'"),
        ("c --sede 3", "%%lens knows no --sede 3."),
        ("c 'x", "No closing quotation"),
    ],
)
def test_what_lens_does_not_know_is_said_with_what_it_does(
    shell: InteractiveShell, line: str, words: str
) -> None:
    with capture_output() as captured:
        shell.run_cell(f"%%lens {line}\nint main(void) {{ }}")
    told = captured.stdout + captured.stderr
    assert words in told and "Begin the cell with %%lens [python|c|sh]" in told


def test_a_program_that_does_not_compile_shows_the_compilers_words_and_lines_of_the_cell(
    shell: InteractiveShell,
) -> None:
    shell.push({"history": family("P.1"), "output": "old"})
    with capture_output() as captured:
        shell.run_cell("%%lens c\nint main(void) {\n    fork()\n}")
    assert "cell.c:3:" in captured.stdout + captured.stderr
    for left in ("history", "output"):
        with pytest.raises(UsageError, match="No program has run"):
            len(shell.user_ns[left])


def test_a_warning_of_the_compiler_is_shown_and_the_program_runs(
    capfd: pytest.CaptureFixture[str],
) -> None:
    run = look_at("c", '#include <stdio.h>\nint main(void) { int x; puts("ran"); }')
    assert run.output == "ran\n"
    assert "unused variable" in capfd.readouterr().err


def test_without_a_compiler_the_message_says_how_to_get_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    with pytest.raises(CannotCompileError, match="apt install gcc"):
        look_at("c", "int main(void) { }")


def test_where_tracing_is_refused_a_cell_shows_a_snapshot_and_says_so(
    shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: Any, **__: Any) -> Recording:
        raise CannotTraceError("This machine does not let us trace a program.")

    monkeypatch.setattr("forklab.notebook.magic.record", refuse)
    run = look_at("python", "import os, sys\nos.fork()\nsys.stdin.read()")
    assert isinstance(run, Snapshot)
    assert len(run.tree) == 2
    assert "does not let us trace" in capfd.readouterr().err
    assert "P(1000) ─ P.1(1001)" in RunView(run)._repr_mimebundle_()["text/plain"]


def test_the_same_run_is_the_same_page_to_the_byte() -> None:
    first, second = (RunView(record(["sh", "-c", "true & wait"]))._repr_mimebundle_() for _ in "ab")
    assert first == second


@pytest.mark.parametrize(
    ("run", "words"),
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
        (Snapshot(family(), ended_early="Too slow."), "1 process. Too slow."),
        (
            Snapshot(output="hello\n", statuses={"P": 0}),
            "Everybody had ended before we could look.",
        ),
        (
            Recording(family("P.1"), "", -15, 0, 100.0, True),
            "2 processes, 100 s. P was killed by SIGTERM.",
        ),
        (
            Recording(family(), "", 0, 0, 0.0, True, reasons=("it uses sockets",)),
            "1 process. P exited with 0. It may go differently next time: it uses sockets.",
        ),
        (
            Recording(family(), "", None, 0, 0.0, True, cut=True, ended_early="It went on."),
            "1 process. It went on. So we ended it. It wrote too much:",
        ),
    ],
)
def test_how_it_went_is_told_in_words(run: Recording | Snapshot, words: str) -> None:
    assert how_it_went(run).startswith(words)


def said_in(shell: InteractiveShell, cell: str) -> str:
    with capture_output() as captured:
        shell.run_cell(cell).raise_error()
    return str(captured.stdout)


def test_a_check_of_a_program_that_did_not_run_is_told_so_in_one_line(
    shell: InteractiveShell,
) -> None:
    shell.run_cell("from forklab.notebook import *").raise_error()
    for before in ("", "%%lens c\nint main(void) { return }"):
        with capture_output():
            if before:
                assert shell.run_cell(before).error_in_exec is not None
        for asks in (
            "history.family()",
            "len(output)",
            "'a' in output",
            "output == ''",
            "seen.status",
        ):
            with capture_output() as told:
                failed = shell.run_cell(f"check(({asks}, 'no'))")
            assert isinstance(failed.error_in_exec, UsageError)
            assert "No program has run. Mend" in told.stderr
            assert "Traceback" not in told.stdout + told.stderr


def test_a_check_that_misses_a_process_says_which(shell: InteractiveShell) -> None:
    shell.run_cell("from forklab.notebook import *").raise_error()
    said_in(shell, "%%lens sh\ntrue")
    for asks in ("history.tree()['P.1']", "history.process('P.1')", "history.state_of('P.1')"):
        with capture_output() as told:
            failed = shell.run_cell(f"check(({asks}, 'no'))")
        assert isinstance(failed.error_in_exec, NoProcessError)
        assert told.stdout.startswith("Not yet. There is no process 'P.1' in this ")
        assert "Traceback" not in told.stdout + told.stderr


def test_a_check_says_the_first_thing_that_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    check((True, "a"), (False, "b"), (False, "c"))
    check((True, "a"))
    assert capsys.readouterr().out == "Not yet. b\nRight!\n"


TWO_CHILDREN = (
    "%%lens python\nimport os\nif os.fork() == 0:\n    print('a')\n    os._exit(0)\nprint('b')"
)


def test_all_outputs_of_the_last_program_are_shown_in_the_words_of_the_command(
    shell: InteractiveShell,
) -> None:
    shell.run_cell("from forklab.notebook import *").raise_error()
    said_in(shell, TWO_CHILDREN)
    shown = shell.run_cell("outputs();").result._repr_mimebundle_()
    assert shown["text/plain"].startswith("2 outputs, 4 outcomes, and no others (")
    assert shown["text/html"].count('class="outputs-box"') == 2
    assert "P.1 perhaps not reaped" in shown["text/html"]
    assert 'class="forklab-order"' in shown["text/html"]
    assert said_in(shell, "print('b a' in outputs(), 'a a' in outputs(), len(outputs()))") == (
        "True False 2\n"
    )
    assert said_in(shell, "print(outputs().why('a').possible, *map(repr, outputs()))") == (
        "False 'a\\nb\\n' 'b\\na\\n'\n"
    )


def test_an_outcome_has_a_film_of_its_own(shell: InteractiveShell) -> None:
    shell.run_cell("from forklab.notebook import *").raise_error()
    said_in(shell, TWO_CHILDREN)
    assert said_in(shell, "print(outputs().film('b a').seen.output, end='')") == "b\na\n"
    assert said_in(shell, "print(outputs().film(1).seen.output, end='')") == "a\nb\n"


@pytest.mark.parametrize(
    ("asks", "words"),
    [
        ("outputs().film(9)", "There is no outcome 9: they are 1 to 4."),
        ("outputs().film('b b')", "No schedule of this program prints b b."),
    ],
)
def test_a_film_that_there_is_not_is_refused_with_the_reason(
    asks: str, words: str, shell: InteractiveShell
) -> None:
    shell.run_cell("from forklab.notebook import *").raise_error()
    said_in(shell, TWO_CHILDREN)
    with capture_output() as told:
        failed = shell.run_cell(asks)
    assert isinstance(failed.error_in_exec, UsageError)
    assert words in told.stderr
    assert "Traceback" not in told.stdout + told.stderr


def test_outputs_are_those_of_the_last_program_and_of_none_that_did_not_run(
    shell: InteractiveShell,
) -> None:
    shell.run_cell("from forklab.notebook import *").raise_error()
    said_in(shell, "%%lens\nprint('first')")
    assert said_in(shell, "print(*outputs())") == "first\n\n"
    said_in(shell, "%%lens sh --pipe\necho last")
    assert said_in(shell, "print(*outputs())") == "last\n\n"
    with capture_output() as told:
        shell.run_cell("%%lens c\nint main(void) { return }")
        failed = shell.run_cell("outputs()")
    assert isinstance(failed.error_in_exec, UsageError)
    assert "No program has run. Mend" in told.stderr


def test_where_tracing_is_refused_outputs_say_so_in_one_line(
    shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> Any:
        raise CannotTraceError("This machine does not let us.\n  Why not.")

    shell.run_cell("from forklab.notebook import *").raise_error()
    said_in(shell, "%%lens\nprint('traced')")
    monkeypatch.setattr("forklab.notebook.views.explore", refuse)
    with capture_output() as told:
        failed = shell.run_cell("outputs(seconds=7)")
    assert isinstance(failed.error_in_exec, UsageError)
    assert "This machine does not let us. Why not.\n" in told.stderr
    assert "Traceback" not in told.stdout + told.stderr


def test_an_incomplete_search_says_why_on_the_page_too(shell: InteractiveShell) -> None:
    shell.run_cell("from forklab.notebook import *").raise_error()
    said_in(shell, TWO_CHILDREN)
    shown = shell.run_cell("outputs(seconds=0.001);").result._repr_mimebundle_()
    assert "  0.001 seconds were over" in shown["text/plain"]
    assert "0.001 seconds were over</p>" in shown["text/html"]
