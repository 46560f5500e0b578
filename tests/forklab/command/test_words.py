"""What people type, and what goes wrong around it: one line that mends, and never a traceback."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

FORKLAB = (sys.executable, "-m", "forklab.command.main")
Forklab = Callable[..., subprocess.CompletedProcess[str]]
# Said where it is so, as in most containers.
RENUMBERED = "forklab: This machine gives no PID namespace: pids were renumbered from 1000.\n"


@pytest.fixture
def forklab(forklab_of: Callable[..., Forklab]) -> Forklab:
    return forklab_of()


@pytest.fixture
def forklab_of(tmp_path: Path) -> Callable[..., Forklab]:
    """Types it in a folder of its own; `given` is piped into it, `shell` is what a shell has after it.

    What it is made with are the words of a command that runs it.
    """
    return partial(_forklab, tmp_path)


def _forklab(folder: Path, *runner: str) -> Forklab:
    def run(
        *words: str, given: str = "", shell: str = "", **environment: str
    ) -> subprocess.CompletedProcess[str]:
        before = [] if not shell else ["sh", "-c", f'"$@" {shell}', "sh"]
        done = subprocess.run(
            [*before, *runner, *FORKLAB, *words],
            cwd=folder,
            env={**os.environ, **environment},
            input=given,
            capture_output=True,
            text=True,
            timeout=300,
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


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["outpust"], "There is no command outpust. Did you mean outputs?"),
        (["./a.sh"], "There is no command ./a.sh. To run that program: forklab run ./a.sh"),
        (
            ["qwertz"],
            "There is no command qwertz. There is: run, outputs, quiz, tree, services, ctl, doctor.",
        ),
        (["run", "--seeed", "3", "ls"], "run does not know --seeed. Did you mean --seed?"),
        (["outputs", "-x", "ls"], "outputs does not know -x. See: forklab outputs --help"),
        (["tree", "1", "2"], "tree does not know 2. See: forklab tree --help"),
    ],
)
def test_a_word_that_is_not_known_is_told_in_one_line(
    words: list[str], complaint: str, forklab: Forklab, tmp_path: Path
) -> None:
    (tmp_path / "a.sh").touch(0o755)
    done = forklab(*words)
    assert (done.returncode, done.stderr) == (2, f"forklab: {complaint}\n")


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
            "./lost can't be run: its first line says that /no/such/shell runs it, which is not there.",
        ),
        (
            "windows",
            "#!/bin/sh\r\necho hello\r\n",
            "./windows has the line ends of Windows. Mend them: sed -i 's/\\r$//' ./windows",
        ),
        ("nothing", "", "./nothing can't be run: the file is empty."),
        (
            "lecture.pdf",
            "%PDF-1.4\n",
            "./lecture.pdf can't be run: it is neither built for this machine, nor does it begin with a"
            " line as '#!/bin/sh'.",
        ),
        (
            "Fork.java",
            "class Fork {}\n",
            "./Fork.java is to be run by another program: forklab run java ./Fork.java",
        ),
        (
            "fork.rs",
            "fn main() {}\n",
            "./fork.rs has to be compiled first: rustc ./fork.rs. Then give what comes of it.",
        ),
        (
            "broken",
            "\x7fELF\x02\n",
            "./broken can't be run: it was built for another machine, or is damaged.",
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


def test_a_text_that_another_program_runs_need_not_be_executable(
    forklab: Forklab, tmp_path: Path
) -> None:
    (tmp_path / "plain.sh").write_text("echo hello\n")
    words = "plain.sh is to be run by another program: forklab run sh plain.sh"
    assert forklab("run", "plain.sh").stderr == f"forklab: {words}\n"
    (tmp_path / "script").write_text("#!/bin/sh\n")
    words = "./script is not executable. Make it so: chmod +x ./script"
    assert forklab("run", "./script").stderr == f"forklab: {words}\n"


@pytest.mark.parametrize("end", ["", ".c", ".py"])
def test_what_is_no_file_is_said(end: str, forklab: Forklab, tmp_path: Path) -> None:
    (tmp_path / f"lost{end}").symlink_to("nowhere")
    (tmp_path / f"circle{end}").symlink_to(f"circle{end}")
    (tmp_path / f"folder{end}").mkdir()
    os.mkfifo(tmp_path / f"fifo{end}")
    for name, words in {
        "lost": "is a link to nowhere, which is not there.",
        "circle": "is a link that leads in a circle.",
        "folder": "is a folder, not a program.",
        "fifo": "is a pipe, a socket or a device, not a program.",
    }.items():
        done = forklab("run", f"./{name}{end}")
        assert (done.returncode, done.stderr) == (1, f"forklab: ./{name}{end} {words}\n")
    assert forklab("run", "").stderr == "forklab: The name of the program is empty.\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [("-d.c", '#include <stdio.h>\nint main(void) { puts("1"); }\n'), ("-d.py", "print(1)\n")],
)
def test_a_source_may_be_called_like_an_option(
    name: str, text: str, forklab: Forklab, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(text)
    assert forklab("run", "--", name).stdout == "1\n"


def test_a_compiler_may_have_options_with_it(forklab: Forklab, tmp_path: Path) -> None:
    (tmp_path / "three.c").write_text("int main(void) { return NUMBER; }\n")
    assert forklab("run", "three.c", CC="cc -DNUMBER=3").returncode == 3


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv is not installed")
def test_what_one_may_not_read_is_said(forklab_of: Callable[..., Forklab], tmp_path: Path) -> None:
    """Root may: it has to leave that behind."""
    forklab = forklab_of("setpriv", "--bounding-set=-all", "--inh-caps=-all")
    shut = tmp_path / "shut"
    shut.mkdir()
    (shut / "a.c").write_text("int main(void) { }\n")
    (tmp_path / "b.c").touch(0o200)
    shutil.copy("/bin/echo", tmp_path / "echo")
    (tmp_path / "echo").chmod(0o111)
    shut.chmod(0)
    try:
        for words, complaint in {
            ("run", "shut/a.c"): "shut/a.c can't be reached: Permission denied.",
            ("run", "shut/a"): "shut/a can't be reached: Permission denied.",
            ("run", "b.c"): "b.c can't be read: Permission denied.",
            ("run", "--json", "shut/a", "true"): "shut/a can't be written: Permission denied",
        }.items():
            assert forklab(*words).stderr.endswith(f"forklab: {complaint}\n")
        hidden = "P executes ./echo, which may be run but not read: the lens can't see into it."
        for mode in ([], ["--real-time"]):
            done = forklab("run", *mode, "./echo", "hello")
            assert (done.returncode, done.stdout) == (124, "")
            assert done.stderr.startswith(f"forklab: {hidden}")
        assert hidden in forklab("outputs", "./echo", "hello").stdout
    finally:
        shut.chmod(0o700)


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


@pytest.mark.parametrize(
    ("call", "word"),
    [("ptrace(0, 0, 0, 0)", "ptrace is refused"), ("unshare(0x80)", "time namespace")],
)
def test_what_is_different_here_is_said(
    forklab: Forklab, tmp_path: Path, call: str, word: str
) -> None:
    source = "#define _GNU_SOURCE\n#include <sched.h>\n#include <sys/ptrace.h>\n"
    (tmp_path / "asks.c").write_text(f"{source}int main(void) {{ {call}; {call}; return 0; }}\n")
    assert forklab("run", "asks.c").stderr.count(word) == 1


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_who_traces_us_is_named(forklab_of: Callable[..., Forklab]) -> None:
    """Also if forklab is among the words with which it was started."""
    done = forklab_of("strace", "-f", "-o", "/dev/null")("run", "true")
    assert done.stderr.startswith("forklab: strace traces this already")


def test_a_fork_bomb_is_named_and_does_not_fill_the_screen(
    forklab: Forklab, tmp_path: Path
) -> None:
    (tmp_path / "bomb.c").write_text("#include <unistd.h>\nint main(void) { for (;;) fork(); }\n")
    done = forklab("run", "bomb.c")
    assert done.returncode == 124
    assert "as a fork bomb has" in done.stderr
    assert len(done.stderr.splitlines()) < 40
    assert done.stderr.endswith(" lines more: --json FILE has everybody.\n")


COMMANDS = (
    ("run", "echo", "hello"),
    ("outputs", "echo", "hello"),
    ("tree",),
    ("quiz", "--count", "1"),
)


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


@pytest.mark.parametrize(
    ("words", "mend"),
    [
        (("run", "--seed", "x", "true"), "'x' is not a whole number"),
        (("quiz", "--seed", "1.5"), "'1.5' is not a whole number"),
        (
            ("run", "--schedule", "file", "--outcome", "0", "true"),
            "'0' is not the number of an outcome",
        ),
        (("run", "--outcome", "2", "true"), "add --schedule FILE"),
    ],
)
def test_a_number_that_is_none_or_chooses_nothing(
    forklab: Forklab, words: tuple[str, ...], mend: str
) -> None:
    done = forklab(*words)
    assert done.returncode != 0
    assert mend in done.stderr.splitlines()[-1]
