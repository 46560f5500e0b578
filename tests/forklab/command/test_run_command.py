"""`forklab run`, as a user types it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import termios
from collections.abc import Callable
from pathlib import Path

import jsonschema
import psutil
import pytest

from forklab.lens.edge import seccomp
from forklab.schema import history_schema

# SECCOMP_RET_ERRNO with EPERM, as the action at the end of a filter.
REFUSE = b"\x01\x00\x05\x00"
FORKLAB = (sys.executable, "-m", "forklab.command.main")


def test_run_shows_the_output_then_the_tree_and_exits_as_the_program_did() -> None:
    done = forklab("run", "--", "sh", "-c", "echo hello; (sleep 100; exit 3); exit 7")
    assert (done.returncode, done.stdout) == (7, "hello\n")
    assert done.stderr.endswith(
        "P(1000) exited 7 · reaped by init\n"
        "└─ P.1(1001) exited 3 · reaped by P\n"
        "   └─ P.1.1(1002) exited 0 · reaped by P.1\n"
    )


def test_run_loads_nothing_to_draw_to_compile_or_to_explore_with_where_nobody_does() -> None:
    def loaded(*words: str) -> set[str]:
        command = [sys.executable, "-X", "importtime", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}

    ours = loaded(*FORKLAB[1:], "run", "--", "true") - loaded("-c", "pass")
    assert "forklab.lens.record" in ours
    assert not ours & {"graphviz", "jinja2", "forklab.explore", "forklab.lens.loop.scheduled"}
    assert not ours & {"forklab.source", "forklab.command.schedules", "forklab.lens.calls.touching"}
    assert not ours & {"difflib", "hashlib", "pathlib", "socket", "subprocess", "tempfile"}


def test_run_of_a_program_that_a_signal_kills_exits_as_a_shell_says_it() -> None:
    assert forklab("run", "--", "sh", "-c", "kill -TERM $$").returncode == 128 + 15


def test_run_compiles_c_and_the_twins_have_one_history(tmp_path: Path) -> None:
    (tmp_path / "twin.c").write_text(
        "#include <stdlib.h>\n#include <sys/wait.h>\n#include <unistd.h>\n"
        "int main(void) { if (fork() == 0) { sleep(10); exit(123); } wait(NULL); return 0; }\n"
    )
    (tmp_path / "twin.py").write_text(
        "import os, time\nif os.fork() == 0:\n    time.sleep(10)\n    os._exit(123)\nos.wait()\n"
    )
    told = [
        json.loads(forklab("run", "--json", "-", "--", str(tmp_path / name)).stdout)
        for name in ("twin.c", "twin.py")
    ]
    for history in told:
        history["events"] = [event for event in history["events"] if event["kind"] != "exec"]
        for number, event in enumerate(history["events"]):
            event["n"] = number
    assert told[0] == told[1]


def test_the_history_that_run_writes_conforms_to_the_schema_that_ships() -> None:
    done = forklab("run", "--json", "-", "--", "sh", "-c", "sleep 1 & kill $!; wait; echo hi")
    jsonschema.validate(json.loads(done.stdout), history_schema())


def test_run_draws_tree_lanes_and_film(tmp_path: Path) -> None:
    tree, lanes, film = (tmp_path / name for name in ("tree.svg", "lanes.svg", "film.html"))
    options = ["--svg", str(tree), "--lanes", str(lanes), "--film", str(film)]
    assert forklab("run", *options, "--", "sh", "-c", "sleep 1 & wait").returncode == 0
    assert tree.read_text().startswith("<svg")
    assert lanes.read_text().startswith("<svg")
    assert film.read_text().startswith("<!DOCTYPE html>")


def test_the_same_seed_writes_the_same_bytes() -> None:
    command = ("run", "--seed", "5", "--", "sh", "-c", "for i in 1 2 3; do echo $i $$ & done; wait")
    first, second = (forklab(*command) for _ in range(2))
    assert (first.stdout, first.stderr) == (second.stdout, second.stderr)


def test_what_a_program_writes_comes_out_as_it_is() -> None:
    done = subprocess.run(
        [*FORKLAB, "run", "--", "head", "-c", "300000", sys.executable],
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == Path(sys.executable).read_bytes()[:300000]


def test_run_hands_over_its_standard_input() -> None:
    assert forklab("run", "--", "tr", "a-z", "A-Z", given="hello\n").stdout == "HELLO\n"


def test_run_hands_over_what_the_shell_has_opened_for_it(tmp_path: Path) -> None:
    (tmp_path / "given").write_text("hello\n")
    opened = f"3<'{tmp_path}/given' 4>'{tmp_path}/told'"
    script = "cat <&3 >&4; ls /proc/self/fd"
    run = [*FORKLAB, "run", "--json", "-", "--", "sh", "-c", script]
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {opened}', "sh", *run],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
    )
    assert (tmp_path / "told").read_text() == "hello\n"
    about = json.loads(done.stdout)["run"]
    assert about["output"].split() == ["0", "1", "2", "3", "4", "5"]  # the last one is that folder


def run_for_nobody(script: str) -> tuple[int, str]:
    """Its exit status, and what it says, if nobody reads its standard output."""
    reading, writing = os.pipe()
    os.close(reading)
    command = [*FORKLAB, "run", "--", "sh", "-c", script]
    with open(writing, "wb") as nobody:
        done = subprocess.run(
            command, stdout=nobody, stderr=subprocess.PIPE, text=True, timeout=60, check=False
        )
    return done.returncode, done.stderr


@pytest.mark.parametrize("script", ["yes", "while :; do echo a; done"])
def test_who_prints_on_and_on_for_nobody_is_ended(script: str) -> None:
    status, said = run_for_nobody(script)
    assert status == 124
    assert "Nobody reads what it prints any more, and it goes on. It was ended." in said


def test_who_prints_little_for_nobody_comes_to_its_end() -> None:
    assert run_for_nobody("echo a; echo b; exit 3") == (3, "P(1000) exited 3 · reaped by init\n")


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("no-such-program", "There is no program no-such-program."),
        ("no-such-file.c", "There is no file no-such-file.c."),
        ("/", "/ is a folder, not a program."),
    ],
)
def test_a_program_that_cannot_be_run_is_said_in_words(program: str, words: str) -> None:
    done = forklab("run", "--", program)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"forklab: {words}\n"


def test_what_the_compiler_says_is_shown(tmp_path: Path) -> None:
    (tmp_path / "bad.c").write_text("int main(void) { return x; }\n")
    done = forklab("run", "--", str(tmp_path / "bad.c"))
    assert done.returncode == 1
    assert "bad.c:1:" in done.stderr


def test_an_endless_loop_is_ended_after_the_timeout_and_that_is_said() -> None:
    done = forklab("run", "--timeout", "0.5", "--", "sh", "-c", "while :; do :; done")
    assert done.returncode == 124
    assert "kept the processor busy for more than 0.5 seconds" in done.stderr


def test_where_tracing_is_refused_run_says_so_and_looks_without_it() -> None:
    program = "import os, sys; os.fork() or sys.exit(4); sys.stdin.read(); sys.exit(3)"
    done = forklab(
        *("run", "--", sys.executable, "-c", program),
        before=lambda: seccomp.install(
            seccomp.filter_for(seccomp.Stops(frozenset({"ptrace"})))[:-4] + REFUSE
        ),
    )
    assert done.returncode == 3
    assert "does not let us trace a program" in done.stderr
    assert "--cap-add=SYS_PTRACE" in done.stderr
    assert "P(1000) ─ P.1(1001) zombie · exited 4 · P has not waited" in done.stderr


@pytest.mark.parametrize("options", [[], ["--real-time", "--timeout", "100"]])
def test_ctrl_c_at_a_terminal_ends_it_at_once_and_leaves_nobody(options: list[str]) -> None:
    ours, theirs = os.openpty()
    command = [*FORKLAB, "run", *options, "--", "sh", "-c", "echo ready; while :; do :; done"]
    typing = subprocess.Popen(
        command, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, start_new_session=True
    )
    assert typing.stdout is not None
    assert typing.stdout.readline() == b"ready\n"
    before = termios.tcgetattr(theirs)
    family = psutil.Process(typing.pid).children(recursive=True)
    os.killpg(typing.pid, signal.SIGINT)  # as the terminal does
    assert typing.wait(20) == 130
    assert termios.tcgetattr(theirs) == before
    assert psutil.wait_procs(family, timeout=20)[1] == []
    assert len(family) >= 2
    typing.stdout.close()
    os.close(ours)
    os.close(theirs)


def forklab(
    *arguments: str, given: str = "", before: Callable[[], None] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*FORKLAB, *arguments],
        input=given,
        preexec_fn=before,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
