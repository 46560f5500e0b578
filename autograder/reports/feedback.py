"""What a student reads about a verdict: the reason, the play with the failing line, both trees.

The same lines go to the terminal (in colour), into Gradescope and into JUnit (plain).
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from functools import lru_cache
from itertools import groupby, zip_longest

from rich.cells import cell_len
from rich.text import Text

from autograder.reports.cells import number
from autograder.safe_text import safe_text
from autograder.trial.verdict import Assessment, Hindrance, Status, Verdict
from forklab.draw.trees.text import tree_text
from forklab.history import History, Remark

MARKS: Mapping[Status, str] = {
    Status.PASSED: "✓",
    Status.FAILED: "✗",
    Status.ERROR: "!",
    Status.SKIPPED: "-",
}
STYLES: Mapping[Status, str] = {
    Status.PASSED: "green",
    Status.FAILED: "bold red",
    Status.ERROR: "bold white on red",
    Status.SKIPPED: "dim",
}

# What hindered all plays stands in the place of a status.
STANDING_MARKS: Mapping[str, str] = {
    **{str(status): mark for status, mark in MARKS.items()},
    Hindrance.NOT_BUILT: "✗",
    Hindrance.NOTHING: "○",
}
STANDING_STYLES: Mapping[str, str] = {
    **{str(status): style for status, style in STYLES.items()},
    Hindrance.NOT_BUILT: STYLES[Status.FAILED],
    Hindrance.NOTHING: "yellow",
}

_INDENT = "    "


def headline(verdict: Verdict, name_width: int = 0, points_width: int = 0) -> Text:
    """One line: mark, word, name, points, title."""
    word = f"{MARKS[verdict.status]} {verdict.status:<7}"
    return Text.assemble(
        (word, STYLES[verdict.status]),
        f"  {verdict.scenario:<{name_width}}  ",
        (f"{points(verdict):>{points_width}}", "dim"),
        f"  {verdict.title}",
        (f"  {verdict.proof}" if verdict.proof else "", "dim"),
    )


def points(verdict: Verdict) -> str:
    """ "2/5", or that it does not count."""
    if verdict.status in (Status.ERROR, Status.SKIPPED):
        return "not counted"
    return f"{number(verdict.points)}/{number(verdict.max_points)}"


def explanation(
    verdict: Verdict,
    why: str = "",
    width: int = 100,
    *,
    message: str | None = None,
    with_play: bool = True,
) -> list[Text]:
    """The lines below the headline of a verdict that is not passed, prose folded to `width`.

    `message` is what to say in place of the verdict's own, some of which may have been said before.

    The play and the trees are shown as they are: a line broken in the wrong place would say
    something else.
    """
    lines = wrapped(verdict.message if message is None else message, width)
    if why:
        lines += [Text(), *wrapped(f"Why it matters: {why.strip()}", width, "dim")]
    if verdict.failed_step is not None and with_play:
        lines += [Text(), *play(verdict)]
    if verdict.observed.events:
        lines += [
            Text(),
            *side_by_side(
                verdict.expected,
                verdict.observed,
                verdict.expected_remarks,
                verdict.remarks,
                width - len(_INDENT),
            ),
        ]
    return [Text(_INDENT).append_text(line) if line.plain else line for line in lines]


def plain(verdict: Verdict, why: str = "", width: int = 100) -> str:
    """The explanation without colour, for reports that show text, and what is known over all schedules."""
    told = verdict.message
    if verdict.status is not Status.PASSED:
        told = textwrap.dedent("\n".join(line.plain for line in explanation(verdict, why, width)))
    return "\n\n".join(filter(None, (told, verdict.proof)))


def play(verdict: Verdict) -> list[Text]:
    """The script with its line numbers; arrows mark the line that failed, the last one played."""
    lines = []
    for line_number, step in enumerate(verdict.script.rstrip().splitlines(), start=1):
        if line_number == verdict.failed_step:
            word = "failed here" if verdict.status is Status.FAILED else "stopped here"
            lines.append(Text(f"▶ {line_number:>2}  {step}   ◀ {word}", "bold red"))
        else:
            unplayed = verdict.failed_step is not None and line_number > verdict.failed_step
            lines.append(Text(f"  {line_number:>2}  {step}", "dim" if unplayed else ""))
    return lines


def summary(assessment: Assessment) -> Text:
    """The score, and how many scenarios ended how."""
    counts = count(assessment)
    parts = [f"{counts[status]} {status}" for status in Status if counts[status]]
    if assessment.hindrance:
        parts = [str(assessment.hindrance)]
    uncounted = counts[Status.ERROR] + counts[Status.SKIPPED]
    note = " (what ended in an error or was skipped is not counted)" if uncounted else ""
    return Text.assemble(
        (f"Score {number(assessment.score)} of {number(assessment.max_score)}", "bold"),
        f": {', '.join(parts) or 'no scenarios'}{note}",
    )


def count(assessment: Assessment) -> dict[Status, int]:
    """How many scenarios ended how; every status has an entry."""
    return {
        status: sum(verdict.status is status for verdict in assessment.verdicts)
        for status in Status
    }


def common_reason(assessment: Assessment) -> str | None:
    """The message, if every scenario ended badly for one reason before any play: a build failure."""
    verdicts = assessment.verdicts
    least = 1 if assessment.hindrance else 2
    if len(verdicts) < least or verdicts[0].status not in (Status.FAILED, Status.ERROR):
        return None
    first = verdicts[0]
    same = all(
        verdict.status is first.status
        and verdict.message == first.message
        and verdict.failed_step is None
        and not verdict.observed.events
        for verdict in verdicts
    )
    return first.message if same else None


def side_by_side(
    expected: History,
    observed: History,
    expected_remarks: Mapping[str, Remark],
    remarks: Mapping[str, Remark],
    width: int,
) -> list[Text]:
    """Both trees, beside each other where they fit into `width` columns; only one if they agree.

    Both are drawn to the right or both downwards, so that they can be compared line by line.
    """
    narrow = _drawn(observed, remarks, 0)
    if not expected.events or _drawn(expected, expected_remarks, 0) == narrow:
        return [Text(line) for line in _drawn(observed, remarks, width)]
    narrow_pair = [_drawn(expected, expected_remarks, 0), narrow]
    wide_pair = [_drawn(expected, expected_remarks, width), _drawn(observed, remarks, width)]
    if wide_pair[0] == narrow_pair[0] or wide_pair[1] == narrow_pair[1]:
        wide_pair = narrow_pair
    for one, other in (wide_pair, narrow_pair):
        column = max(map(cell_len, one)) + 4
        if column + max(map(cell_len, other)) <= width:
            return _columns(["expected", *one], ["observed", *other], column)
    one, other = wide_pair
    return [
        Text("expected", "bold underline"),
        *(Text(line) for line in one),
        Text(),
        Text("observed", "bold underline"),
        *(Text(line) for line in other),
    ]


def stretches(message: str) -> list[tuple[bool, str]]:
    """A message in pieces: (False, prose) and (True, a quotation: a compiler's words, output).

    What follows an empty line is a quotation, and so are indented lines.
    """
    prose, _, quotation = safe_text(message).strip("\n").partition("\n\n")
    lines = [line for line in prose.split("\n") if line.strip()]
    pieces = [
        (indented, "\n".join(piece))
        for indented, piece in groupby(lines, key=lambda line: line.startswith((" ", "\t")))
    ]
    return [*pieces, (True, quotation)] if quotation.strip() else pieces


def wrapped(message: str, width: int, style: str = "") -> list[Text]:
    """Prose folded to `width`, less the indent; quotations stay as they are, line by line."""
    width = max(20, width - len(_INDENT))
    lines: list[Text] = []
    for quoted, piece in stretches(message):
        for paragraph in piece.split("\n"):
            if quoted:
                lines.append(Text(paragraph, style))
            else:
                folded = textwrap.wrap(paragraph, width, break_long_words=False)
                lines += [Text(line, style) for line in folded]
    return lines


def _drawn(history: History, remarks: Mapping[str, Remark], columns: int) -> list[str]:
    return _lines(history, tuple(remarks.items()), columns).splitlines()


@lru_cache(maxsize=4096)  # a class makes the same mistakes: most of its pictures are alike
def _lines(history: History, remarks: tuple[tuple[str, Remark], ...], columns: int) -> str:
    return safe_text(tree_text(history.tree(), dict(remarks), columns=columns))


def _columns(left: list[str], right: list[str], column: int) -> list[Text]:
    rows = []
    for row, (one, other) in enumerate(zip_longest(left, right, fillvalue="")):
        style = "bold underline" if row == 0 else ""
        gap = " " * (column - cell_len(one)) if other else ""
        rows.append(Text.assemble((one, style), gap, (other, style)))
    return rows
