"""Wrong paths, closed outputs, poor terminals: one line that mends, and never a traceback."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

AUTOGRADER = (sys.executable, "-m", "autograder.command.cli")
# Root may read everything: it has to leave that behind.
LIKE_OTHERS = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all")
PLAY = """\
title = "A play"
points = 1
why = "To see it."
script = '''
main exits 0
expect init exits 0
'''
"""


def autograder(
    folder: Path, *words: str, runner: tuple[str, ...] = (), shell: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    before = [] if not shell else ["sh", "-c", f'"$@" {shell}', "sh"]
    done = subprocess.run(
        [*before, *runner, *AUTOGRADER, *words],
        cwd=folder,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    return done


@pytest.fixture
def shut(tmp_path: Path) -> Iterator[Path]:
    """A folder with one of everything, which nobody may enter."""
    shut = tmp_path / "shut"
    (shut / "class/ada").mkdir(parents=True)
    (shut / "play.toml").write_text(PLAY)
    shut.chmod(0)
    yield shut
    shut.chmod(0o700)


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv is not installed")
@pytest.mark.parametrize(
    "words",
    [
        ("check", "init", "shut/class/ada"),
        ("check", "shut", "."),
        ("check", "init", ".", "--scenario", "shut/play.toml"),
        ("grade", "init", "shut/class", "--out", "out"),
        ("play", "shut/play.toml", "--", "true"),
        ("new-lab", "relay"),
        ("demo", "init", "--out", "shut/class"),
    ],
)
def test_what_may_not_be_read_is_named(words: tuple[str, ...], tmp_path: Path, shut: Path) -> None:
    """From Python 3.14 on what is in such a folder is not there, as pathlib has it: then the folder is named."""
    if words[0] == "new-lab":
        (tmp_path / "labs").symlink_to("shut")
    done = autograder(tmp_path, *words, runner=LIKE_OTHERS)
    assert done.returncode == 2
    assert done.stderr.startswith("autograder: ")
    assert len(done.stderr.splitlines()) <= 2, done.stderr
    assert ("relay" if words[0] == "new-lab" else "shut") in done.stderr


@pytest.mark.parametrize("words", [("doctor",), ("play", "no.toml", "--", "true")])
def test_standard_output_may_be_full_or_closed(words: tuple[str, ...], tmp_path: Path) -> None:
    closed = autograder(tmp_path, *words, shell=">&-")
    assert (closed.returncode, closed.stdout) == (2, "")
    complaint = "autograder: standard output is closed. Leave out '>&-', or give a file.\n"
    assert closed.stderr == complaint
    full = autograder(tmp_path, *words, shell=">/dev/full")
    assert full.returncode == 2
    assert full.stderr.startswith("autograder: ")


@pytest.mark.parametrize("environment", [{"LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}])
def test_a_terminal_that_knows_ascii_only_gets_marks_that_it_has(
    environment: dict[str, str], tmp_path: Path
) -> None:
    said = autograder(tmp_path, "doctor", **environment).stdout
    assert said.isascii()
    assert "\\u" not in said
    assert all(line[:2] in ("+ ", "x ", ", ") for line in said.splitlines()[1:-1])


def test_what_is_no_program_is_not_played(tmp_path: Path) -> None:
    (tmp_path / "play.toml").write_text(PLAY)
    for text, complaint in {
        "": "init is an empty file.",
        "%PDF-1.4\n": "init is neither a compiled program nor a script that begins with #!.",
        "#!/bin/sh\r\n": "init has the line ends of Windows, so its interpreter is not found.",
    }.items():
        (tmp_path / "init").write_text(text)
        (tmp_path / "init").chmod(0o755)
        done = autograder(tmp_path, "play", "play.toml", "--", "./init")
        assert done.returncode == 2
        assert done.stderr.startswith(f"autograder: ./init cannot be played: {complaint}")


def test_what_is_no_address_is_no_cluster(tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    (tmp_path / "class/ada").mkdir(parents=True)
    (tmp_path / "class/ada/init.c").touch()
    words = ("grade", "init", "class", "--out", "out", "--cluster", "nonsense")
    done = autograder(tmp_path, *words)
    assert done.returncode == 2
    assert done.stderr.startswith("autograder: --cluster nonsense: no scheduler answers there")
