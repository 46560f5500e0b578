"""What a machine does not give is said in a line that helps, and not as a traceback."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from autograder.command import cli
from forklab.command import main
from forklab.lacking import LacksError, lacks, last_words
from forklab.lens.record import CannotRecordError, record

HELLO = '#include <stdio.h>\nint main(void) { puts("hello"); }\n'


@pytest.fixture
def hello(tmp_path: Path) -> str:
    source = tmp_path / "hello.c"
    source.write_text(HELLO)
    return str(source)


def error_of(number: int, filename: str | None = None) -> OSError:
    return OSError(number, os.strerror(number), filename)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (error_of(errno.EMFILE), "ulimit -n"),
        (error_of(errno.EAGAIN), "ulimit -u"),
        (error_of(errno.E2BIG), "too long"),
        (error_of(errno.ENOSPC), "TMPDIR"),
        (error_of(errno.ENOMEM), "Cannot allocate memory"),
        (error_of(errno.ENOENT, "/dev/null"), "no /dev/null"),
        (LacksError(errno.EIO, "no terminal: --pipe"), "--pipe"),
    ],
)
def test_what_is_missing_is_named_with_its_mend(error: OSError, words: str) -> None:
    assert words in (lacks(error) or "")
    assert words in last_words(error)


def test_other_errors_keep_their_place() -> None:
    assert lacks(error_of(errno.ENOENT, "/no/such")) is None
    try:
        raise error_of(errno.EBADF)
    except OSError as error:
        assert "test_lacking.py" in last_words(error)


def test_without_a_folder_for_temporary_files(
    monkeypatch: pytest.MonkeyPatch, hello: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def nowhere() -> str:
        raise FileNotFoundError(
            errno.ENOENT, "No usable temporary directory found in ['/tmp', '/var/tmp', '/']"
        )

    monkeypatch.setattr(tempfile, "gettempdir", nowhere)
    assert main.main(["outputs", hello]) == 1
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(("command", "status"), [(main, 1), (cli, 2)])
def test_without_proc(
    command, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "has_proc", lambda: False)
    assert command.main(["doctor"]) == status
    assert "mount -t proc proc /proc" in capsys.readouterr().err


def test_in_a_folder_that_was_removed(tmp_path: Path) -> None:
    words = (sys.executable, "-m", "autograder.command.cli", "check", "init", ".")
    folder = str(tmp_path / "gone")
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, map(os.path.abspath, sys.path))),
    }
    done = subprocess.run(
        ["sh", "-c", 'mkdir "$0" && cd "$0" && rmdir "$0" && exec "$@"', folder, *words],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2
    assert "was removed" in done.stderr and "Traceback" not in done.stderr


def test_without_terminals_the_mend_is_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> tuple[int, int]:
        raise error_of(errno.ENOENT)

    monkeypatch.setattr(os, "openpty", none)
    with pytest.raises(CannotRecordError, match="--pipe"):
        record(["true"], forks=True)
    assert record(["echo", "hello"], forks=True, pipe=True).output == "hello\n"


def test_with_too_few_files(hello: str) -> None:
    done = forklab("outputs", hello, files=20)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr and "ulimit -n 1024" in done.stderr


def test_a_compiler_is_found_where_there_is_no_path(hello: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PATH"}
    done = forklab("run", hello, env=environment)
    assert (done.returncode, done.stdout) == (0, "hello\n"), done.stderr


def test_a_compiler_that_has_no_room(hello: str, tmp_path: Path) -> None:
    compiler = tmp_path / "full"
    compiler.write_text(
        "#!/bin/sh\necho 'ld: final link failed: No space left on device' >&2; exit 1\n"
    )
    compiler.chmod(0o755)
    done = forklab("run", hello, env={**os.environ, "CC": str(compiler)})
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "can't be compiled: no space is left" in done.stderr


def test_arguments_that_are_too_long_for_one_word(hello: str) -> None:
    """One word of a command line is 128 KiB long at most, and all that we ask of a helper was one: see execve(2)."""
    done = forklab("outputs", hello, *["x" * 60_000] * 3)
    assert (done.returncode, done.stderr) == (0, "")
    assert "| hello" in done.stdout


def forklab(
    *words: str, files: int | None = None, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    def limit() -> None:
        if files is not None:
            resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))

    return subprocess.run(
        [sys.executable, "-m", "forklab.command.main", *words],
        preexec_fn=limit,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
