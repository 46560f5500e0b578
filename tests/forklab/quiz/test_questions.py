"""The kinds of questions, and that their keys are what the programs do."""

from __future__ import annotations

from random import Random

import pytest
from many_seeds import Found, FoundOutcome, many_seeds

from forklab.explore import explore
from forklab.lens.record import Recording
from forklab.model.actions import Exit as ExitAction
from forklab.model.actions import Fork as ForkAction
from forklab.model.actions import Wait as WaitAction
from forklab.notebook import look_at
from forklab.quiz.acting import (
    Actions,
    actions_of,
    in_words,
    near_miss,
    program_for,
    random_actions,
)
from forklab.quiz.count import WAYS_TO_ASK
from forklab.quiz.evidence import UnfitError, agreed, runs
from forklab.quiz.in_c import in_c
from forklab.quiz.listing import listing_of
from forklab.quiz.make import NoQuestionError, Order, make
from forklab.quiz.outputs import outputs_question
from forklab.quiz.pieces import Hand
from forklab.quiz.plain import drawn, renamed, still_there
from forklab.quiz.program import (
    Block,
    Branch,
    Exit,
    Fork,
    Language,
    Listen,
    MakePipe,
    Say,
    Sleep,
    Wait,
)
from forklab.quiz.question import Question, QuestionKind, Quiz
from forklab.quiz.tree import leaves_open
from forklab.source import program_of

OTHER_SEED = 77  # none of those from which the keys come

BIRTH_AND_DEATH: Actions = (ForkAction("a", "b"), ForkAction("b", "c"), ExitAction("b", 3))


def again(question: Question) -> Recording:
    seen = look_at(question.listing.language, question.listing.text, seed=OTHER_SEED)
    assert isinstance(seen, Recording)
    return seen


def one(kind: QuestionKind, **wanted: object) -> Question:
    order = Order(kind=kind, count=1, **wanted)  # type: ignore[arg-type]
    return make(order, many_seeds).questions[0]


def test_a_quiz_asks_all_kinds_in_turn(quiz: Quiz) -> None:
    assert [question.kind for question in quiz.questions] == list(QuestionKind)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("level", [1, 5])
def test_a_count_is_that_of_another_run_too(seed: int, level: int) -> None:
    question = one(QuestionKind.COUNT, seed=seed, level=level, language=Language.C)
    (form,) = [form for form in WAYS_TO_ASK if form.asked == question.asked]
    assert question.number == form.count(again(question))
    assert str(question.number) in question.answer


@pytest.mark.parametrize("level", [1, 4])
def test_a_tree_is_that_of_another_run_too(level: int) -> None:
    question = one(QuestionKind.TREE, seed=1, level=level, language=Language.C)
    history = again(question).history
    if question.at is None:
        assert question.answer == drawn(history.tree())
    else:
        there = still_there(history.tree(history.moment(question.at)))
        assert question.answer.startswith(drawn(there))
        assert all(event.t != question.at for event in history.events)


def test_only_the_right_actions_make_the_tree_that_is_shown(quiz: Quiz) -> None:
    question = quiz.questions[2]
    (right,) = [choice for choice in question.choices if choice.right]
    assert len({choice.text for choice in question.choices}) == len(question.choices) == 5
    assert question.picture not in [choice.why for choice in question.choices]
    history = again(question).history
    assert question.at is not None
    names, done = actions_of(history, question.at)
    assert in_words(done) == right.text
    there = still_there(history.tree(history.moment(question.at)))
    assert drawn(renamed(there, names)) == question.picture


def test_outputs_are_right_if_and_only_if_the_explorer_saw_them(quiz: Quiz) -> None:
    question = quiz.questions[3]
    with_label = question.evidence.split(": ")[1].split(" | ")
    assert {choice.text for choice in question.choices if choice.right} <= set(with_label)
    assert not {choice.text for choice in question.choices if not choice.right} & set(with_label)
    assert len({choice.text for choice in question.choices}) == 5
    assert any(choice.right for choice in question.choices)
    assert not all(choice.right for choice in question.choices)


@pytest.mark.parametrize(
    "found",
    [
        Found((FoundOutcome("A\nB\n"), FoundOutcome("B\nA\n")), complete=False),
        Found((FoundOutcome("A\nB\n"), FoundOutcome("A\n", deadlock=("P",)))),
        Found((FoundOutcome("A\nB\n"), FoundOutcome("A\n", signal="SIGSEGV"))),
        Found((FoundOutcome("A\nB\n"),)),
    ],
    ids=["incomplete", "deadlock", "signal", "one output"],
)
def test_no_outputs_are_asked_for_if_that_is_found(found: Found) -> None:
    with pytest.raises(UnfitError):
        outputs_question(Hand(Random(1), 2), Language.C, lambda argv, **_: found)


def test_a_program_is_explored_for_its_outputs() -> None:
    question = make(
        Order(kind=QuestionKind.OUTPUTS, level=3, count=1, language=Language.C)
    ).questions[0]
    possible = set(question.evidence.split(": ")[1].split(" | "))
    assert " ".join(again(question).output.split()) in possible


@pytest.mark.parametrize("seed", [0, 1])
def test_no_schedule_at_all_makes_another_count(seed: int) -> None:
    """Five seeds cannot prove that; the explorer can."""
    question = one(QuestionKind.COUNT, seed=seed, level=2, language=Language.C)
    with program_of("c", question.listing.text) as program:
        found = explore(program.argv, program=program.path)
    assert found.complete
    if "lines" in question.asked:
        assert {outcome.output.count("\n") for outcome in found.outcomes} == {question.number}
    if "status" in question.asked:
        assert {outcome.exit for outcome in found.outcomes} == {question.number}


def test_an_answer_that_depends_on_who_runs_first_is_no_answer() -> None:
    race = (
        *(Branch((Sleep(1), Exit(n))) for n in (1, 2)),
        Wait(status=True),
        Exit(0, plus="status"),
    )
    recordings = runs(listing_of(Language.C, race), lambda _: True)
    assert {recording.status for recording in recordings} == {1, 2}
    with pytest.raises(UnfitError, match="depends on who runs first"):
        agreed(recordings, lambda recording: recording.status)


@pytest.mark.parametrize(
    ("first", "second", "waits", "open_"),
    [
        (1, 1, (Wait(), Sleep(5)), True),  # both die in one moment, one is reaped
        (1, 2, (Sleep(5), Wait(), Sleep(5)), True),  # two zombies, one is reaped
        (1, 2, (Wait(), Sleep(5)), False),  # the other one lives still
        (1, 1, (Wait(), Wait(), Sleep(5)), False),  # both are reaped in one moment
        (1, 1, (Sleep(5),), False),  # nobody is
    ],
)
def test_a_wait_that_could_have_taken_another_child_leaves_the_tree_open(
    first: int, second: int, waits: Block, open_: bool
) -> None:
    children = (Branch((Sleep(seconds), Exit(0))) for seconds in (first, second))
    assert leaves_open(look_at("c", in_c((*children, *waits))).history) is open_


def test_a_program_that_never_ends_is_no_question() -> None:
    with pytest.raises(UnfitError):
        runs(listing_of(Language.C, (MakePipe(), Fork(), Listen(), Say("A"))), lambda _: True)


def test_when_chance_makes_nothing_new_the_quiz_says_so() -> None:
    bad = Found((), complete=False)
    with pytest.raises(NoQuestionError, match="kind outputs on level 1"):
        make(
            Order(kind=QuestionKind.OUTPUTS, level=1, language=Language.PYTHON),
            lambda argv, **_: bad,
        )


def test_a_longer_quiz_begins_with_a_shorter_one(quiz: Quiz) -> None:
    shorter = make(Order(seed=12, level=3, count=2, language=Language.C), many_seeds)
    assert quiz.questions[:2] == shorter.questions


def test_another_seed_makes_other_questions(quiz: Quiz) -> None:
    other = make(Order(seed=13, level=3, count=1, language=Language.C), many_seeds)
    assert not set(other.questions) & set(quiz.questions)


def test_actions_become_a_program_that_does_them_one_a_second() -> None:
    program = program_for(BIRTH_AND_DEATH)
    assert program is not None
    history = look_at("c", in_c(program)).history
    assert actions_of(history, 3) == ({"P": "a", "P.1": "b", "P.1.1": "c"}, BIRTH_AND_DEATH)
    assert [event.t for event in history.events if event.kind in ("fork", "exit")][:3] == [1, 2, 3]


@pytest.mark.parametrize(
    "last",
    [
        ExitAction("b", 0),  # it has exited
        WaitAction("a", "c"),  # no child of a
        WaitAction("b", "c"),  # b has exited
        ForkAction("d", "e"),  # there is no d
    ],
    ids=lambda action: in_words((action,)),
)
def test_what_nobody_can_do_is_no_program(last: ExitAction | WaitAction | ForkAction) -> None:
    assert program_for((*BIRTH_AND_DEATH, last)) is None


def test_near_misses_name_their_processes_in_the_order_of_their_births() -> None:
    hand = Hand(Random(5), 5)
    for _ in range(300):
        actions = near_miss(hand, random_actions(hand))
        born = [action.child for action in actions if isinstance(action, ForkAction)]
        assert born == list("bcdefghi"[: len(born)])
