"""Questions of the kind "draw the tree": at the end of a program, or at one of its seconds.

The drawing is that of the lens: who lives, who is a zombie, whom init has adopted, who was reaped by whom. It is asked
for only if it is the same under five seeds, if no wait had a choice between two children, and never at a second in
which something happens.
"""

from __future__ import annotations

from forklab.counted import counted
from forklab.history import History, State, taken_by
from forklab.lens.record import Recording
from forklab.quiz.evidence import UnfitError, agreed, runs
from forklab.quiz.growing import LONGEST, growing
from forklab.quiz.listing import Listing, listing_of
from forklab.quiz.pieces import Hand
from forklab.quiz.plain import drawn, gone, still_there
from forklab.quiz.program import Language, Wait, statements
from forklab.quiz.question import Question, QuestionKind

PROCESSES = {1: range(2, 3), 2: range(3, 5), 3: range(3, 6), 4: range(4, 7), 5: range(5, 9)}


def tree_question(hand: Hand, language: Language) -> Question:
    """Raises UnfitError if chance made no good program."""
    program = growing(hand)
    listing = listing_of(language, program)
    takes_any = any(isinstance(one, Wait) and one.child is None for one in statements(program))

    def fits(first: Recording) -> bool:
        return _fits(first, hand.level) and not (takes_any and leaves_open(first.history))

    recordings = runs(listing, fits)
    if takes_any and any(leaves_open(recording.history) for recording in recordings):
        raise UnfitError("which of two children a wait takes is not for POSIX to say")
    seconds = _telling_seconds(recordings[0].history)
    if not seconds or (hand.level > 1 and hand.likely(0.2)):
        return _at_the_end(listing, recordings)
    return _at(hand.one_of(seconds), listing, recordings)


def leaves_open(history: History) -> bool:
    """Whether somebody reaped one child and left another one that was a zombie then, or became one in that moment.

    If that was a wait for any child, it could have been the other way round, though the seeds need not show it.
    """
    died = {event.process: event.t for event in history.events if event.kind == "exit"}
    reaped = {event.process: event for event in history.events if event.kind == "reaped"}
    for event in reaped.values():
        for sibling in history.processes:
            if sibling.parent != event.by or sibling.name not in died:
                continue
            other = reaped.get(sibling.name)
            left = other is None or other.by != event.by or other.t > event.t
            if died[sibling.name] <= event.t and left:
                return True
    return False


def _fits(first: Recording, level: int) -> bool:
    members = len(first.history.family())
    return members in PROCESSES[level] and 2 <= first.seconds <= LONGEST


def _at(second: int, listing: Listing, recordings: tuple[Recording, ...]) -> Question:
    def answer(recording: Recording) -> str:
        tree = recording.history.tree(recording.history.moment(second))
        lost = [
            f"{node.name} is gone: exited {node.status}, {taken_by(node.reaped_by)}"
            for node in gone(tree)
            if node.reaped_by is not None
        ]
        return "\n".join([drawn(still_there(tree)), *lost])

    key = agreed(recordings, answer)
    history = recordings[0].history
    tree = still_there(history.tree(history.moment(second)))
    states = {node.name: str(node.state) for node in tree if not node.reaper}
    return Question(
        kind=QuestionKind.TREE,
        asked=(
            f"Draw the process tree as it is {_seconds(second)} after the start: who is whose child, who is a"
            " zombie and with which exit status, who waits for a child, and whom init has adopted."
            " A process that was reaped is gone."
        ),
        listing=listing,
        answer=key,
        at=second,
        check=(
            f"{{node.name: str(node.state) for node in history.tree(history.moment({second})).nodes"
            f" if node.state != 'reaped' and not node.reaper}} == {states!r}"
        ),
    )


def _at_the_end(listing: Listing, recordings: tuple[Recording, ...]) -> Question:
    key = agreed(recordings, lambda recording: drawn(recording.tree))
    reapers = {node.name: node.reaped_by for node in recordings[0].tree if not node.reaper}
    return Question(
        kind=QuestionKind.TREE,
        asked=(
            "Draw the tree of all the processes that took part, as it is when the last of them has ended: who was"
            " whose child at its end, with which status each exited, and who reaped it."
        ),
        listing=listing,
        answer=key,
        check=f"{{node.name: node.reaped_by for node in history.tree() if not node.reaper}} == {reapers!r}",
    )


def _telling_seconds(history: History) -> list[int]:
    """The seconds in which nothing happens and that show most: zombies, orphans, somebody who waits."""
    last = int(history.events[-1].t)
    busy = {event.t for event in history.events}
    telling = {}
    for second in range(1, last):
        if second not in busy:
            tree = history.tree(history.moment(second))
            telling[second] = sum(
                (node.state in (State.ZOMBIE, State.WAITING))
                + node.adopted
                + (node.state is not State.REAPED)
                for node in tree
                if not node.reaper
            )
    most = max(telling.values(), default=0)
    return [second for second, shows in telling.items() if shows == most]


def _seconds(number: int) -> str:
    return counted(number, "second")
