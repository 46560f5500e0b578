"""Questions of the kind "how many?": processes, lines, and the exit status of the first process.

The answer is counted in what the program did under five seeds of the lens, and asked for only if all five agree. That
alone would not prove that a sixth agrees as well: but these programs never do one thing or the other by what somebody
else did first. They have no signals and no pipes, and a status comes from a wait for one certain child.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from forklab.counted import counted
from forklab.draw.trees.description import ending
from forklab.kernel.statuses import exit_code
from forklab.lens.record import Recording
from forklab.quiz.counting import answering, printing
from forklab.quiz.evidence import UnfitError, agreed, runs
from forklab.quiz.listing import listing_of
from forklab.quiz.pieces import Hand, Maker
from forklab.quiz.plain import family
from forklab.quiz.program import Language
from forklab.quiz.question import Question, QuestionKind

MOST_LINES = 14
PROCESSES = {1: range(2, 3), 2: range(2, 5), 3: range(2, 7), 4: range(3, 9), 5: range(4, 9)}


@dataclass(frozen=True)
class _WayToAsk:
    """One way to ask. `check` computes the answer in a notebook, from what the lens saw there."""

    asked: str
    programs: Maker
    count: Callable[[Recording], int]
    words: Callable[[int], str]
    check: str
    level: int = 1  # below it, everybody knows the answer


def count_question(hand: Hand, language: Language) -> Question:
    """Raises UnfitError if chance made no good program."""
    way = hand.one_of([way for way in WAYS_TO_ASK if hand.level >= way.level])
    listing = listing_of(language, way.programs(hand))
    recordings = runs(listing, lambda first: _fits(first, hand.level))
    number = agreed(recordings, way.count)
    return Question(
        kind=QuestionKind.COUNT,
        asked=way.asked,
        listing=listing,
        answer=way.words(number),
        number=number,
        evidence=agreed(recordings, _evidence),
        check=f"{way.check} == {number}",
    )


def _fits(first: Recording, level: int) -> bool:
    return _processes(first) in PROCESSES[level] and _lines(first) <= MOST_LINES


def _processes(recording: Recording) -> int:
    return len(recording.history.family())


def _lines(recording: Recording) -> int:
    return recording.output.count("\n")


def _status(recording: Recording) -> int:
    status = exit_code(recording.status)
    if status is None:
        raise UnfitError("its first process did not exit")
    return status


WAYS_TO_ASK = (
    _WayToAsk(
        "How many processes take part in this program, the first one included?",
        printing,
        _processes,
        lambda number: counted(number, "process", "processes"),
        "len(history.family())",
        level=2,
    ),
    _WayToAsk(
        "How many lines does this program print?",
        printing,
        _lines,
        lambda number: counted(number, "line"),
        'output.count("\\n")',
    ),
    _WayToAsk(
        "With which exit status does the first process end?",
        answering,
        _status,
        lambda number: f"{number}",
        "seen.status",
    ),
)


def _evidence(recording: Recording) -> str:
    """Who forked whom, what each printed and how it ended: all that does not depend on who runs first."""
    printed: dict[str, list[str]] = {}
    for event in recording.history.events:
        if event.kind == "output" and event.text is not None:
            printed.setdefault(event.process, []).extend(event.text.split())
    said = {name: f"prints {', '.join(lines)} · " for name, lines in printed.items()}
    ended = {node.name: ending(node) or "" for node in recording.tree}
    return family(recording.history, {name: said.get(name, "") + ended[name] for name in ended})
