"""Where stdio's buffers decide what is printed, that is said, and without them the answer is a book's."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from forklab.command.main import main
from forklab.draw.outcomes.text import BUFFERS_DECIDE

HEADERS = "#include <stdio.h>\n#include <stdlib.h>\n#include <sys/wait.h>\n#include <unistd.h>\n"
# Each printf is a piece of its own, whichever function it is.
ALL_KINDS = """\
int main(void) {
    printf("a");
    puts("b");
    putchar('c');
    putc('d', stdout);
    fputs("e", stdout);
    fprintf(stdout, "%d\\n", 6);
    fwrite("g", 1, 1, stdout);
    return 0;
}
"""
PIECES = ["a", "b\n", "c", "d", "e", "6\n", "g"]
IS_COPIED = """\
int main(void) { printf("x"); if (fork() == 0) { printf("c"); exit(0); } wait(NULL); printf("p"); return 0; }
"""
COMES_IN_BETWEEN = """\
int main(void) {
    if (fork() == 0) { puts("c"); exit(0); }
    printf("a");
    puts("b");
    wait(NULL);
    return 0;
}
"""
ENDS_EACH_LINE = """\
int main(void) { printf("a %d\\n", 1); if (fork() == 0) { puts("c"); exit(0); } wait(NULL); puts("p"); return 0; }
"""


def outputs(
    text: str, *options: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> tuple[set[str], bool]:
    """All that it can print, and whether it is said that buffers decide."""
    program = folder / ("p.py" if "import" in text else "p.c")
    program.write_text(text if "import" in text else HEADERS + text)
    main(["outputs", *options, "--json", "-", str(program)])
    found = json.loads(capsys.readouterr().out)
    assert found["complete"], found["reasons"]
    return {outcome["output"] for outcome in found["outcomes"]}, "unbuffered" in found


@pytest.mark.parametrize(
    ("text", "options", "buffered", "at_once"),
    [
        (IS_COPIED, (), {"xcxp"}, {"xcp"}),
        (COMES_IN_BETWEEN, (), {"ab\nc\n", "c\nab\n"}, {"ab\nc\n", "ac\nb\n", "c\nab\n"}),
        (ENDS_EACH_LINE, ("--pipe",), {"a 1\nc\na 1\np\n"}, {"a 1\nc\np\n"}),
        (
            "import os, sys\nsys.stdout.write('x')\nif os.fork(): os.wait(); print('p', 1, end='')\n",
            (),
            {"xxp 1"},
            {"xp 1"},
        ),
    ],
)
def test_where_buffers_decide_it_is_said_and_without_them_the_answer_is_another(
    text: str,
    options: tuple[str, ...],
    buffered: set[str],
    at_once: set[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert outputs(text, *options, folder=tmp_path, capsys=capsys) == (buffered, True)
    said = outputs(text, *options, "--unbuffered", folder=tmp_path, capsys=capsys)
    assert said == (at_once, False)


def test_where_each_line_is_written_at_once_anyway_nothing_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found, is_said = outputs(ENDS_EACH_LINE, folder=tmp_path, capsys=capsys)
    assert (found, is_said) == ({"a 1\nc\np\n"}, False)


def test_it_is_said_in_one_line_and_as_the_reason_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "copied.c"
    program.write_text(HEADERS + IS_COPIED)
    main(["outputs", str(program)])
    assert capsys.readouterr().out.splitlines()[1] == BUFFERS_DECIDE
    assert main(["outputs", "--why", "xcp", str(program)]) == 1
    assert capsys.readouterr().out.splitlines()[-1].startswith("But if each printf")
    assert main(["outputs", "--unbuffered", "--why", "xcp", str(program)]) == 0


@pytest.mark.parametrize("flags", [("-O0",), ("-O2", "-D_FORTIFY_SOURCE=2")])
def test_each_call_that_prints_is_one_write(
    flags: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, program = tmp_path / "all.c", tmp_path / "all"
    source.write_text(HEADERS + ALL_KINDS)
    subprocess.run(["cc", *flags, str(source), "-o", str(program)], check=True)
    main(["run", "--unbuffered", "--pipe", "--json", "-", str(program)])
    events = json.loads(capsys.readouterr().out)["events"]
    assert [event["text"] for event in events if event["kind"] == "output"] == PIECES


def test_where_it_has_no_effect_it_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, program = tmp_path / "all.c", tmp_path / "all"
    source.write_text(HEADERS + ALL_KINDS)
    subprocess.run(["cc", "-static", str(source), "-o", str(program)], check=True)
    for command in ("run", "outputs"):
        assert main([command, "--unbuffered", str(program)]) == 1
        assert "has no effect on" in capsys.readouterr().err


def test_without_a_compiler_it_is_said_what_brings_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("CC", "no-such-compiler")
    assert main(["run", "--unbuffered", "--", shutil.which("env") or "", "true"]) == 1
    assert "sudo apt install gcc" in capsys.readouterr().err
