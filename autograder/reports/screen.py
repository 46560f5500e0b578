"""The terminal: one submission explained, a class in a table, a play step by step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from autograder.grading.records import Result
from autograder.reports.cells import first_line, first_sentence, number
from autograder.reports.feedback import (
    MARKS,
    STANDING_MARKS,
    STANDING_STYLES,
    STYLES,
    common_reason,
    explanation,
    headline,
    points,
    side_by_side,
    summary,
    wrapped,
)
from autograder.reports.once import Once
from autograder.safe_text import safe_text
from autograder.trial.verdict import Assessment, Status, Verdict
from forklab.counted import counted
from forklab.history import History

_LONGEST_TABLE = 30
_MOST_OF_A_LINE = 160


def console(*, to_stderr: bool = False) -> Console:
    """A console that shows text as it is: nothing in a name or a message is taken for markup."""
    return Console(stderr=to_stderr, markup=False, highlight=False, emoji=False)


def show_assessment(
    screen: Console, assessment: Assessment, why: Mapping[str, str], *, everything: bool = False
) -> None:
    """A line a scenario, the first failure in full, the score; with `everything` each failure in full.

    What is in a line of its own is not said again in full, and no sentence is said twice.
    """
    if assessment.remarks:
        _indented(screen, assessment.remarks, "dim")
        say(screen)
    reason = common_reason(assessment)
    if reason is not None:
        word = assessment.standing
        headed = "no scenario could be played"
        say(screen, Text(f"{STANDING_MARKS[word]} {word}: {headed}", STANDING_STYLES[word]))
        _indented(screen, reason)
    else:
        _show_verdicts(screen, assessment.verdicts, why, everything)
    say(screen)
    say(screen, summary(assessment))


def _show_verdicts(
    screen: Console, verdicts: Sequence[Verdict], why: Mapping[str, str], everything: bool
) -> None:
    bad = [v for v in verdicts if v.status in (Status.FAILED, Status.ERROR)]
    # The grader's own trouble is not hidden behind a failure.
    of_each = (next((v for v in bad if v.status is s), None) for s in (Status.FAILED, Status.ERROR))
    in_full = bad if everything else [verdict for verdict in of_each if verdict is not None]
    once = Once()
    told = {verdict.scenario: _told(once, verdict) for verdict in in_full}
    told |= {v.scenario: _told(once, v) for v in bad if v.scenario not in told}
    names = max((len(verdict.scenario) for verdict in verdicts), default=0)
    widest = max((len(points(verdict)) for verdict in verdicts), default=0)
    for verdict in verdicts:
        line = headline(verdict, names, widest)
        if verdict in bad and verdict not in in_full:
            lead = first_sentence(told[verdict.scenario], _MOST_OF_A_LINE).rstrip(".")
            line.append(f" — {lead}", "dim")
        if screen.is_terminal:
            line.truncate(screen.width, overflow="ellipsis")
        say(screen, line)
    for message in dict.fromkeys(v.message for v in verdicts if v.status is Status.SKIPPED):
        say(screen)
        _indented(screen, f"Skipped: {message}", "dim")
    for verdict in in_full:
        say(screen)
        say(screen, Text(f"{MARKS[verdict.status]} {verdict.scenario}", STYLES[verdict.status]))
        say(screen)
        reason = why.get(verdict.scenario, "")
        for line in explanation(verdict, reason, screen.width, message=told[verdict.scenario]):
            say(screen, line)
    if rest := len(bad) - len(in_full):
        say(screen)
        say(screen, f"{rest} more: --all shows each in full, --scenario NAME plays one alone.")


def _told(once: Once, verdict: Verdict) -> str:
    """What has not been said yet, and where the rest was."""
    fresh, earlier = once.fresh(verdict.message, verdict.scenario)
    if not earlier:
        return fresh
    return f"{fresh.rstrip()} See {earlier}." if fresh else f"the same as {earlier}."


def _indented(screen: Console, message: str, style: str = "") -> None:
    for line in wrapped(message, screen.width, style):
        say(screen, Text("    ").append_text(line))


def show_class(screen: Console, results: Iterable[Result], of: int, index: Path) -> None:
    """Who got how much and what to look at first; the grader's own errors are shouted."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("student", overflow="fold")
    table.add_column("score", justify="right")
    table.add_column("status")
    table.add_column("what failed first", overflow="fold")
    errors: list[Result] = []
    shown = total = 0
    for result in results:
        total += 1
        assessment = result.assessment
        if assessment.status is Status.ERROR:
            errors.append(result)
        if shown < _LONGEST_TABLE:
            shown += 1
            table.add_row(*_row(result))
    say(screen)
    screen.print(table)
    if total > shown:
        say(screen, Text(f"... and {total - shown} more: see the report."))
    if total < of:
        say(screen, Text(f"Not graded yet: {of - total} of {counted(of, 'student')}."))
    for result in errors:
        message = next(v.message for v in result.assessment.verdicts if v.status is Status.ERROR)
        last_line = safe_text(message).strip().rsplit("\n", 1)[-1]
        say(
            screen,
            Text.assemble((" ERROR ", STYLES[Status.ERROR]), f" {result.student}: {last_line}"),
        )
    if errors:
        say(
            screen,
            Text(
                "Errors are the grader's own trouble: they cost no points. Grade again with --resume."
            ),
        )
    say(screen)
    say(screen, Text(f"Report: {index}"))


def show_play(screen: Console, verdict: Verdict) -> None:
    """The play line by line, with the processes after each line at which something happened to them."""
    for line_number, step in enumerate(verdict.script.rstrip().splitlines(), start=1):
        here = line_number == verdict.failed_step
        say(
            screen,
            Text(
                f"{'▶' if here else ' '} {line_number:>2}  {step}", "bold red" if here else "bold"
            ),
        )
        if here:
            break
        if any(event.t == line_number for event in verdict.observed.events):
            for row in side_by_side(
                _until(verdict.expected, line_number),
                _until(verdict.observed, line_number),
                {},
                {},
                screen.width - 6,
            ):
                say(screen, Text("      ").append_text(row))
    say(screen)
    say(screen, headline(verdict))
    if verdict.status is not Status.PASSED:
        for line in explanation(verdict, width=screen.width, with_play=False):
            say(screen, line)


def say(screen: Console, line: Text | str = "") -> None:
    """One line, never broken or cut by us: the terminal folds what is too long."""
    screen.print(line, soft_wrap=True)


def _row(result: Result) -> tuple[Text, Text, Text, Text]:
    assessment = result.assessment
    late = f"  {number(result.penalty)} off: late" if result.penalty else ""
    failing = [v for v in assessment.verdicts if v.status is Status.FAILED]
    more = f"  and {len(failing) - 1} more" if len(failing) > 1 else ""
    what = f"{failing[0].scenario}{more}" if failing else ""
    if assessment.hindrance:
        what = first_line(common_reason(assessment) or "")
    word = assessment.standing
    return (
        Text(result.student),
        Text(f"{number(result.score)}/{number(assessment.max_score)}{late}"),
        Text(f"{STANDING_MARKS[word]} {word}", STANDING_STYLES[word]),
        Text(what),
    )


def _until(history: History, line_number: int) -> History:
    events = tuple(event for event in history.events if event.t <= line_number)
    return History(history.processes, events)
