"""What a student reads: prose is folded, evidence is not."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from made_up_class import ASKED, CLASS, assessment, does_not_build, error, failed, passed
from rich.console import Console

from autograder.grading.records import Result
from autograder.reports.feedback import (
    common_reason,
    explanation,
    headline,
    plain,
    stretches,
    summary,
)
from autograder.reports.once import Once
from autograder.reports.progress import ClassProgress
from autograder.reports.screen import show_assessment, show_class, show_play
from autograder.trial.verdict import Assessment, Verdict
from forklab.history import State


def test_prose_and_quotation_are_told_apart() -> None:
    assert stretches("It said:\n  oops\nSo it ended.\n\ninit.c:1: error\n\n  int") == [
        (False, "It said:"),
        (True, "  oops"),
        (False, "So it ended."),
        (True, "init.c:1: error\n\n  int"),
    ]


@pytest.mark.parametrize("width", [40, 80, 200])
def test_prose_fits_the_terminal_and_a_play_is_never_broken(width: int) -> None:
    verdict = failed(ASKED[2])
    lines = [line.plain for line in explanation(verdict, ASKED[2].why, width)]
    prose = lines[: next(n for n, line in enumerate(lines) if "main forks worker" in line)]
    assert all(len(line) <= width for line in prose)
    assert any(line.endswith("# main has not waited for it: a zombie") for line in lines)


def test_trees_stand_side_by_side_where_there_is_room() -> None:
    wide = plain(failed(ASKED[2]), width=220)
    narrow = plain(failed(ASKED[2]), width=100)
    assert any("expected" in line and "observed" in line for line in wide.splitlines())
    assert "\nexpected\n" in narrow
    assert "\nobserved\n" in narrow


def test_both_trees_are_drawn_the_same_way() -> None:
    for width in range(90, 130):
        text = plain(failed(ASKED[2]), width=width)
        trees = text[text.index("expected") :]
        assert ("├─ main(1000)" in trees) != ("─┬─ main(1000)" in trees)


def test_an_error_is_not_called_a_failure() -> None:
    text = plain(error(ASKED[9]))
    assert "stopped here" in text
    assert "failed" not in text
    assert "not counted" in headline(error(ASKED[9])).plain
    assert "0/5" in headline(failed(ASKED[2])).plain


def test_the_summary_says_what_was_not_counted() -> None:
    assert summary(CLASS["chen wei"]).plain == (
        "Score 29 of 34: 9 passed, 1 failed, 2 skipped "
        "(what ended in an error or was skipped is not counted)"
    )
    assert summary(CLASS["ada"]).plain == "Score 42 of 42: 12 passed"


def test_only_a_reason_that_all_share_is_a_common_one() -> None:
    assert common_reason(does_not_build()) is not None
    assert common_reason(assessment()) is None
    everything = [asked.name[:2] for asked in ASKED]
    assert common_reason(assessment(fails=everything)) is None
    first, *others = does_not_build().verdicts
    differing = (replace(first, message="init.c is missing"), *others)
    assert common_reason(replace(does_not_build(), verdicts=differing)) is None


def screen(width: int = 100, *, terminal: bool = False) -> Console:
    return Console(
        file=io.StringIO(), width=width, markup=False, highlight=False, force_terminal=terminal
    )


def written(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def shown(found: Assessment, *, everything: bool = False) -> str:
    console = screen(200)
    why = {asked.name: asked.why for asked in ASKED}
    show_assessment(console, found, why, everything=everything)
    return written(console)


def test_the_first_failure_is_shown_in_full_and_of_each_other_one_line() -> None:
    text = shown(assessment(fails=["03", "04", "06"]))
    assert text.count("Why it matters") == 1
    assert ASKED[2].why in text
    lines = text.splitlines()
    assert len([line for line in lines if "04_burst" in line]) == 1
    [burst] = [line for line in lines if "04_burst" in line]
    assert "0/5  Orphans that die at once are all collected — Seven of eight orphans" in burst
    assert "2 more: --all shows each in full" in text
    assert shown(assessment(fails=["03"])).count("--all") == 0


def test_with_all_each_failure_is_shown_in_full_and_each_sentence_once() -> None:
    found = assessment(fails=["01", "02", "03", "04", "05"])
    text = shown(found, everything=True)
    assert text.count("Why it matters") == 5
    assert text.count("init exited with 1; main exited with 0") == 1
    assert text.count("the same as 01_starts_main.") == 2
    assert "more: --all" not in text


def test_an_error_is_shown_in_full_beside_the_first_failure() -> None:
    text = shown(assessment(fails=["03", "04"], errs=["10"]))
    assert "this is a fault of the grader, not yours" in text
    assert "1 more: --all" in text


def test_a_reason_to_skip_is_told_once() -> None:
    text = shown(assessment(skips=["06", "10"]))
    assert text.count("this machine allows no PID namespaces") == 1


def test_warnings_and_what_could_not_be_built_are_told_before_all_else() -> None:
    warned = replace(assessment(), remarks="It was built, with warnings:\n\ninit.c:3: warning")
    assert shown(warned).index("init.c:3: warning") < shown(warned).index("01_starts_main")
    text = shown(does_not_build())
    assert text.startswith("✗ not built: no scenario could be played")
    assert text.endswith("Score 0 of 42: not built\n")


@pytest.mark.parametrize(
    ("message", "fresh", "earlier"),
    [
        ("It hung. Wait for any child.", "It hung.", "a"),
        ("It died. Wait for any child.", "", "a"),
        ("It said:\n  oops", "It said:\n  oops", ""),
        ("Built it.\n\nx.c:1: no", "Built it.\n\nx.c:1: no", ""),
    ],
)
def test_what_was_said_before_is_not_said_again(message: str, fresh: str, earlier: str) -> None:
    once = Once()
    once.fresh("It died. Wait for any child.", "a")
    assert once.fresh(message, "b") == (fresh, earlier)
    assert once.fresh(message, "c")[0] == ""


@pytest.mark.parametrize("verdict", [passed(ASKED[2]), failed(ASKED[2])])
def test_where_there_is_text_alone_it_is_told_what_is_known_over_all_schedules(
    verdict: Verdict,
) -> None:
    known = replace(verdict, proof="Right in all 7 schedules.")
    assert plain(known).startswith(plain(verdict))
    assert plain(known).endswith("Right in all 7 schedules.")


def test_a_line_that_was_expected_and_written_is_shown_twice() -> None:
    both = "Other lines.\n  expected:\n    one\n    two\n  written:\n    one"
    assert Once().fresh(both, "a") == (both, "")


def test_a_large_class_is_a_short_table_and_all_errors() -> None:
    console = screen()
    results = [Result(f"student {n:03}", assessment()) for n in range(200)]
    results.append(Result("zoe", CLASS["fatima"]))
    show_class(console, results, 202, Path("index.html"))
    text = written(console)
    assert len(text.splitlines()) < 45
    assert "and 171 more" in text
    assert "ERROR  zoe" in text
    assert "Not graded yet: 1 of 202 students." in text


def test_a_play_shows_each_change_once_and_stops_where_it_failed() -> None:
    console = screen()
    show_play(console, failed(ASKED[2]))
    text = written(console)
    assert text.count("init(1) ─ main(1000) ─ worker(1001) ─ child(1002)") == 1
    assert "main exits 42" not in text
    passing = screen()
    show_play(passing, passed(ASKED[2]))
    assert "expected" not in written(passing).replace("expect ", "")
    assert failed(ASKED[2]).observed.tree()["child"].state is State.ZOMBIE


def test_progress_is_a_line_now_and_then_where_there_is_no_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 0.0
    monkeypatch.setattr("autograder.reports.progress.time.monotonic", lambda: now)
    console = screen()
    with ClassProgress(console) as progress:
        progress.start(4)
        for name, moment in (("ada", 1.0), ("ben", 6.0), ("fatima", 7.0), ("emil", 8.0)):
            now = moment
            progress.result(Result(name, CLASS[name]))
    assert written(console).splitlines() == [
        "graded 2 of 4 (1 passed, 1 failed), about 6 s left",
        "graded 4 of 4 (1 passed, 2 failed, 1 error)",
    ]


def test_progress_is_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")  # a dumb one has none
    console = screen(terminal=True)
    with ClassProgress(console) as progress:
        progress.start(1)
        progress.result(Result("ada", CLASS["ada"]))
    assert "1/1" in written(console)
    assert "graded" not in written(console)
