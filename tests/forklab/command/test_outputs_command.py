"""`forklab outputs`, and `forklab run --schedule` with what it has written."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from programs import TABLE

from forklab.bounds import Progress
from forklab.command import outputs
from forklab.command.main import main

LOST = next(case.text for case in TABLE if case.name == "check_then_pause")
TWO = next(case.text for case in TABLE if case.name == "two_lines_each")
FIVE = """
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
int left = 5;
void collect(int number) { (void)number; while (waitpid(-1, 0, WNOHANG) > 0) left--; }
int main(void) {
    sigset_t mask, before;
    sigemptyset(&mask); sigaddset(&mask, SIGCHLD);
    signal(SIGCHLD, collect);
    sigprocmask(SIG_BLOCK, &mask, &before);
    for (int i = 0; i < 5; i++) if (fork() == 0) { printf("%d\\n", i); return 0; }
    while (left > 0) sigsuspend(&before);
    printf("done\\n");
    return 0;
}
"""


@pytest.fixture
def lost(tmp_path: Path) -> str:
    (tmp_path / "lost.c").write_text(LOST)
    return str(tmp_path / "lost.c")


def test_the_report_lists_each_output_with_its_ends(
    lost: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["outputs", lost]) == 0
    summary, *rest = capsys.readouterr().out.splitlines()
    assert summary.startswith("2 outputs, 2 outcomes, and no others (3 schedules, ")
    assert rest == [
        "",
        "(prints nothing)",
        "     1  P for ever waits for a signal, in pause; P.1 not reaped",
        "",
        "| done",
        "     2  exits 0; P.1 not reaped",
    ]


def test_where_a_bound_stops_it_the_lines_and_processes_of_what_was_found_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "five.c").write_text(FIVE)
    assert main(["outputs", "--limit", "200", str(tmp_path / "five.c")]) == 1
    summary, reason, known, *_ = capsys.readouterr().out.splitlines()
    assert " at least (" in summary and reason == "  200 states were reached"
    assert known == "Each that was found has 6 lines, of 6 processes."


def test_on_ctrl_c_it_is_told_what_was_found_until_then(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pressed: list[int] = []

    def press(progress: Progress) -> None:
        if progress.states > 100 and not pressed:
            pressed.append(progress.states)
            signal.raise_signal(signal.SIGINT)

    @contextmanager
    def watched() -> Iterator[Callable[[Progress], None]]:
        yield press

    monkeypatch.setattr(outputs, "_progress", watched)
    (tmp_path / "five.c").write_text(FIVE)
    assert main(["outputs", str(tmp_path / "five.c")]) == 130
    summary, reason, lines, *_ = capsys.readouterr().out.splitlines()
    assert " at least (" in summary
    assert reason == "  you have pressed Ctrl-C"
    assert " of 6 processes." in lines
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_witness_is_replayed_with_film_and_history(
    lost: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found, film, history = tmp_path / "found.json", tmp_path / "film.html", tmp_path / "run.json"
    main(["outputs", "--json", str(found), lost])
    form = json.loads(found.read_text())
    assert form["complete"] is True
    assert [outcome["deadlock"] for outcome in form["outcomes"]] == [["P"], []]
    capsys.readouterr()
    deadlock = ["run", "--schedule", str(found), "--outcome", "1"]
    assert main([*deadlock, "--json", str(history), "--film", str(film), lost]) == 124
    assert "Everybody waits for ever: P is in pause." in capsys.readouterr().err
    assert film.read_text().startswith("<!DOCTYPE html>")
    kinds = [event["kind"] for event in json.loads(history.read_text())["events"]]
    assert "fork" in kinds and "signal" in kinds
    assert main(["run", "--schedule", str(found), "--outcome", "2", "--json", "-", lost]) == 0
    assert json.loads(capsys.readouterr().out)["run"]["output"] == "done\n"


def test_why_answers_by_its_exit_status_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "two.c"
    program.write_text(TWO)
    assert main(["outputs", "--why", "a\\nc\\nb\\nd", str(program)]) == 0
    assert main(["outputs", "--why", "b a c d", str(program)]) == 1
    assert "It needs b before a" in capsys.readouterr().out


def test_why_is_asked_in_the_bytes_that_a_program_writes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As an argument comes in where the locale is not of UTF-8."""
    (tmp_path / "accents.c").write_text(
        '#include <stdio.h>\nint main(void) { puts("\\303\\251"); return 0; }\n'
    )
    argument = "\N{LATIN SMALL LETTER E WITH ACUTE}".encode().decode("ascii", "surrogateescape")
    assert main(["outputs", "--why", argument, str(tmp_path / "accents.c")]) == 0
    assert "Yes" in capsys.readouterr().out


def test_why_may_begin_with_a_minus(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "less.c").write_text(
        '#include <stdio.h>\nint main(void) { puts("-1"); return 0; }\n'
    )
    assert main(["outputs", "--why", "-1\\n", str(tmp_path / "less.c")]) == 0
    assert "Yes" in capsys.readouterr().out


def test_a_bound_is_said_and_the_exit_status_is_1(
    lost: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["outputs", "--limit", "4", lost]) == 1
    assert "This may not be all:\n  4 states were reached" in capsys.readouterr().out


def test_texts_alone_count_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program = tmp_path / "two.c"
    program.write_text(TWO)
    main(["outputs", "--text-only", str(program)])
    assert capsys.readouterr().out.startswith("6 outputs, and no others (20 schedules")


def test_the_process_graph_is_drawn(lost: str, tmp_path: Path) -> None:
    picture = tmp_path / "graph.svg"
    main(["outputs", "--graph", str(picture), lost])
    assert 'class="forklab-order"' in picture.read_text()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("int main", "line 1: this is no JSON"),
        ("{}", "has no schedule"),
        ('{"schedule": [], "unwatched": ["SIGFOO"]}', '"unwatched" is a list of signals'),
        ('{"schedule": [], "unwatched": 3}', '"unwatched" is a list of signals'),
        ('[{"process": "P"}]', "step 1: a step has a process and a kind"),
        ('[{"process": "P", "kind": []}]', "step 1: a step has a process and a kind"),
        ('{"outcomes": []}', "and no 1"),
        ('{"outcomes": 3}', "has no schedule"),
    ],
)
def test_a_file_that_is_no_schedule_is_said_in_words(
    content: str, words: str, lost: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file.json"
    file.write_text(content)
    assert main(["run", "--schedule", str(file), lost]) == 1
    assert words in capsys.readouterr().err


def test_a_schedule_of_another_program_names_the_step_that_does_not_fit(
    lost: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found, other = tmp_path / "found.json", tmp_path / "two.c"
    other.write_text(TWO)
    main(["outputs", "--json", str(found), lost])
    assert main(["run", "--schedule", str(found), "--outcome", "1", str(other)]) == 124
    assert "Step 2 of the schedule, P return, is not possible here" in capsys.readouterr().err


def test_a_program_that_is_not_there_is_said_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["outputs", "nosuch"]) == 1
    assert "There is no program nosuch." in capsys.readouterr().err


def test_a_schedule_of_a_python_program_carries_all_that_it_takes_to_replay_it(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Python catches SIGINT, and the explorer does not stop after each call for that: the schedule has to say so."""
    program, found = tmp_path / "two.py", tmp_path / "found.json"
    program.write_text(
        "import os\n"
        "for name in 'ab':\n"
        "    if os.fork() == 0:\n"
        "        print(name, flush=True)\n"
        "        os._exit(0)\n"
        "os.wait(); os.wait()\n"
    )
    assert main(["outputs", "--json", str(found), str(program)]) == 0
    outcomes = json.loads(found.read_text())["outcomes"]
    assert [outcome["output"] for outcome in outcomes] == ["a\nb\n", "b\na\n"]
    assert all(outcome["unwatched"] == ["SIGINT"] for outcome in outcomes)
    alone = tmp_path / "alone.json"
    alone.write_text(json.dumps(outcomes[1]))
    capfd.readouterr()
    assert main(["run", "--schedule", str(found), str(program)]) == 0
    assert capfd.readouterr().out == "a\nb\n"
    assert main(["run", "--schedule", str(alone), str(program)]) == 0
    assert capfd.readouterr().out == "b\na\n"
