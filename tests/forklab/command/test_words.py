"""What people type, and what goes wrong around it: one line that mends, and never a traceback."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

FORKLAB = (sys.executable, "-m", "forklab.command.main")
Forklab = Callable[..., subprocess.CompletedProcess[str]]
# Said where it is so, as in most containers.
RENUMBERED = "forklab: This machine gives no PID namespace: pids were renumbered from 1000.\n"


@pytest.fixture
def forklab(tmp_path: Path) -> Forklab:
    """Types it in a folder of its own; `given` is piped into it, `shell` is what a shell has after it."""

    def run(
        *words: str, given: str = "", shell: str = "", **environment: str
    ) -> subprocess.CompletedProcess[str]:
        before = [] if not shell else ["sh", "-c", f'"$@" {shell}', "sh"]
        done = subprocess.run(
            [*before, *FORKLAB, *words],
            cwd=tmp_path,
            env={**os.environ, **environment},
            input=given,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert "Traceback" not in done.stderr
        assert "Exception ignored" not in done.stderr
        done.stderr = done.stderr.replace(RENUMBERED, "")
        return done

    return run


@pytest.mark.parametrize("command", ["run", "outputs"])
@pytest.mark.parametrize("mark", [(), ("--",)])
def test_a_program_may_have_options_of_its_own(
    command: str, mark: tuple[str, ...], forklab: Forklab
) -> None:
    done = forklab(command, *mark, "sh", "-c", "echo hello")
    assert done.returncode == 0
    assert "hello" in done.stdout
    assert done.stderr == ("" if command == "outputs" else "P(1000) exited 0 · reaped by init\n")


def test_an_option_behind_the_program_is_its_own_and_that_is_said(forklab: Forklab) -> None:
    done = forklab("run", "echo", "--seed", "3")
    assert done.stdout == "--seed 3\n"
    assert "--seed is handed to echo; if it is for forklab, it comes before" in done.stderr
    assert "is handed to" not in forklab("run", "--", "echo", "--seed", "3").stderr


def test_without_a_program_an_example_is_given(forklab: Forklab) -> None:
    for words in (["run"], ["run", "--"], ["outputs", "--pipe"]):
        done = forklab(*words)
        assert done.returncode == 2
        assert "which program? It comes last, as in: forklab run ls -l" in done.stderr


def test_what_is_piped_in_and_not_read_is_said(forklab: Forklab) -> None:
    assert forklab("run", "cat", given="hi").stdout == "hi"
    assert "what is piped into forklab is not read" in forklab("outputs", "cat", given="hi").stderr
    assert forklab("outputs", "true", shell="</dev/null").stderr == ""


SOURCES = {
    "hello.cpp": '#include <iostream>\nint main() { std::cout << "hello\\n"; }\n',
    "hello.cc": '#include <iostream>\nint main() { std::cout << "hello\\n"; }\n',
    "root.c": "#include <math.h>\n#include <stdio.h>\n"
    'int main(int count, char **words) { (void)words; printf("%g\\n", sqrt(count)); }\n',
    "thread.c": "#include <pthread.h>\n#include <stdio.h>\n"
    "static void *work(void *text) { puts(text); return text; }\n"
    'int main(void) { pthread_t t; pthread_create(&t, 0, work, "hello"); pthread_join(t, 0); }\n',
}


@pytest.mark.parametrize("name", SOURCES)
def test_it_is_compiled_with_what_it_needs(name: str, forklab: Forklab, tmp_path: Path) -> None:
    if name.endswith(("cpp", "cc")) and shutil.which("c++") is None:
        pytest.skip("there is no C++ compiler here")
    (tmp_path / name).write_text(SOURCES[name])
    done = forklab("run", name)
    assert (done.returncode, done.stdout) == (0, "1\n" if name == "root.c" else "hello\n")


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        (
            "two.c",
            "int one(void);\nint two(void);\nint main(void) { return one() + two(); }\n",
            "two.c does not link: one and two are nowhere defined. If that is in another file or"
            " library, build the program by yourself, and give what comes of it.",
        ),
        ("none.c", "int one;\n", "none.c has no function main: a program begins there."),
        (
            "script",
            "echo hello\n",
            "./script can't be run: it is neither built for this machine, nor does it begin with a"
            " line as '#!/bin/sh'. If it is a script for the shell: sh ./script",
        ),
        (
            "lost",
            "#!/no/such/shell\n",
            "./lost can't be run: what is to run it, as its first line says or as it was linked, is"
            " not there",
        ),
    ],
)
@pytest.mark.parametrize("command", ["run", "outputs"])
def test_what_cannot_be_built_or_run_is_said_in_one_line(
    command: str, name: str, text: str, words: str, forklab: Forklab, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(text)
    (tmp_path / name).chmod(0o755)
    done = forklab(command, name if name.endswith(".c") else f"./{name}")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"forklab: {words}\n")


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("helo.c", "There is no file helo.c. Did you mean hello.c?"),
        ("hello.cp", "There is no program hello.cp. Did you mean hello.c?"),
        ("./helo", "There is no program ./helo. Did you mean ./hello?"),
        ("hello", "There is no program hello. Did you mean ./hello?"),
        ("sleeep", "There is no program sleeep. Did you mean sleep?"),
        ("qwertzuiop", "There is no program qwertzuiop."),
    ],
)
def test_the_nearest_name_is_suggested(
    typed: str, words: str, forklab: Forklab, tmp_path: Path
) -> None:
    (tmp_path / "hello.c").touch()
    (tmp_path / "hello").touch(0o755)
    assert forklab("run", typed).stderr == f"forklab: {words}\n"


def test_without_a_compiler_for_it_one_is_named(forklab: Forklab, tmp_path: Path) -> None:
    (tmp_path / "hello.cpp").touch()
    done = forklab("run", "hello.cpp", CXX="no-such-compiler")
    assert "There is no C++ compiler here" in done.stderr
    assert "sudo apt install g++" in done.stderr


def test_a_missing_schedule_is_said_with_the_nearest_name(forklab: Forklab, tmp_path: Path) -> None:
    (tmp_path / "found.json").touch()
    done = forklab("run", "--schedule", "foud.json", "true")
    assert done.stderr == (
        "forklab: foud.json can't be read: No such file or directory. Did you mean found.json?\n"
    )


def test_a_tracer_within_a_tracer_is_said(forklab: Forklab) -> None:
    done = forklab("run", *FORKLAB, "run", "true")
    assert done.returncode == 1
    assert "forklab traces this already, and a process has one tracer only." in done.stdout
    if shutil.which("strace"):
        assert "strace can't trace here" in forklab("run", "strace", "true").stderr


def test_a_fork_bomb_is_named_and_does_not_fill_the_screen(
    forklab: Forklab, tmp_path: Path
) -> None:
    (tmp_path / "bomb.c").write_text("#include <unistd.h>\nint main(void) { for (;;) fork(); }\n")
    done = forklab("run", "bomb.c")
    assert done.returncode == 124
    assert "as a fork bomb has" in done.stderr
    assert len(done.stderr.splitlines()) < 40
    assert done.stderr.endswith(" lines more: --json FILE has everybody.\n")


COMMANDS = (("run", "echo", "hello"), ("outputs", "echo", "hello"), ("tree",), ("quiz",))


@pytest.mark.parametrize("words", COMMANDS)
def test_standard_output_may_be_full_or_closed(words: tuple[str, ...], forklab: Forklab) -> None:
    full = forklab(*words, shell=">/dev/full")
    assert full.returncode == 1
    assert full.stderr.endswith("can't be written: No space left on device.\n")
    closed = forklab(*words, shell=">&-")
    assert closed.returncode == 1
    assert closed.stderr.startswith("forklab: standard output is closed.")


def test_standard_input_and_error_may_be_closed(forklab: Forklab) -> None:
    assert forklab("run", "echo", "hello", shell="<&- 2>&-").stdout == "hello\n"


@pytest.mark.parametrize("environment", [{"LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}])
def test_a_terminal_that_knows_ascii_only_gets_nothing_else(
    environment: dict[str, str], forklab: Forklab
) -> None:
    drawn = forklab("run", "sh", "-c", "sleep 1 & wait", **environment)
    assert drawn.stderr == "P(1000) exited 0 , reaped by init - P.1(1001) exited 0 , reaped by P\n"
    printed = forklab("outputs", "printf", "é\n", **environment)
    assert "| \\xe9" in printed.stdout
    assert forklab("run", "printf", "é\n", **environment).stdout == "é\n"  # its own bytes
    assert forklab("tree", **environment).stdout.isascii()
