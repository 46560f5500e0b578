"""Every sentence of the language is classified, and its fields are what its blanks fill."""

from __future__ import annotations

from dataclasses import fields
from typing import get_args

import pytest

from autograder.language.blanks import BLANKS
from autograder.language.deeds import (
    Blocks,
    Catches,
    Continues,
    Deed,
    Dies,
    Exits,
    Forks,
    Freezes,
    Ignores,
    Reaps,
    Says,
    Sends,
    StartsGroup,
    StartsSession,
    Stops,
    Thaws,
)
from autograder.language.expectations import (
    Expectation,
    Gets,
    GetsExactly,
    GetsNothing,
    HasDied,
    HasExited,
    HasOutput,
    IsAlive,
    IsChild,
    IsIdle,
    IsReaped,
    IsStopped,
    IsZombie,
    NobodyIsLeft,
    StartsClean,
)
from autograder.language.grammar import blank_name
from autograder.language.sentence import (
    DeedTraits,
    Doer,
    ExpectationTraits,
    Judged,
    Paired,
    Sentence,
)
from autograder.language.steps import SENTENCES, Step

DEEDS = get_args(Deed)
EXPECTATIONS = get_args(Expectation)


def test_every_sentence_that_is_written_down_is_one_of_the_language() -> None:
    written = {*Sentence.__subclasses__(), *Paired.__subclasses__()} - {Paired}
    here = {sentence for sentence in written if sentence.__module__.startswith("autograder.")}
    assert here == set(SENTENCES)
    assert len(SENTENCES) == len(set(SENTENCES)) == len(DEEDS) + len(EXPECTATIONS)


@pytest.mark.parametrize("sentence", SENTENCES)
def test_every_sentence_is_classified(sentence: type[Step]) -> None:
    kind = DeedTraits if sentence in DEEDS else ExpectationTraits
    assert isinstance(sentence.traits, kind)
    assert sentence.__doc__


@pytest.mark.parametrize("sentence", SENTENCES)
def test_the_blanks_of_a_sentence_fill_its_fields(sentence: type[Step]) -> None:
    filled = {field.name for field in fields(sentence)} - {"line"}
    for reading in sentence.wording.readings:
        blanks = [blank_name(word) for word in reading if word in BLANKS]
        assert sorted({*blanks} - {"init"}) == sorted(filled)
        assert len(blanks) == len(set(blanks))


@pytest.mark.parametrize("sentence", SENTENCES)
def test_what_is_for_actors_only_names_them_first(sentence: type[Step]) -> None:
    if sentence.traits.actors_only:
        assert "{actors}" in sentence.wording.singular
    if sentence in DEEDS and sentence.traits.doer is Doer.ACTOR:
        assert sentence.traits.actors_only


def test_who_does_what_and_what_comes_of_it() -> None:
    """The decisions behind the traits of the deeds: whoever changes one of them says so here."""
    acting = {Forks, Exits, Dies, Reaps, Ignores, Catches, Blocks, StartsSession, StartsGroup}
    assert those(DEEDS, "doer", Doer.ACTOR) == acting | {Stops, Says}
    assert those(DEEDS, "doer", Doer.OUTSIDE) == {Continues, Sends, Freezes, Thaws}
    answered = {Exits, Dies, Reaps, Stops, Continues, Sends, Freezes, Thaws}
    assert those(DEEDS, "init_may_answer", True) == answered
    assert those(DEEDS, "frees_others", True) == {Exits, Dies, Continues, Sends, Thaws}
    assert those(DEEDS, "actors_only", False) == {Sends, Freezes, Thaws}


CAN_BE_BROKEN = {
    IsAlive: "it dies",
    IsZombie: "somebody reaps it",
    IsChild: "its parent dies",
    IsStopped: "somebody continues it",
    GetsNothing: "a signal comes",
    Gets: "one that stopped it is undone by the next",
    GetsExactly: "one more comes",
    IsIdle: "it wakes up",
    StartsClean: "somebody else takes the terminal",
    NobodyIsLeft: "somebody is born",
}
NOBODY_CAN_UNDO = {HasExited, HasDied, IsReaped, HasOutput}


def test_what_can_be_broken_after_it_came_true_is_judged_at_rest() -> None:
    """The rule of rest: whoever adds an expectation says here what could break it, or that nothing can."""
    assert set(CAN_BE_BROKEN) | NOBODY_CAN_UNDO == set(EXPECTATIONS)
    assert those(EXPECTATIONS, "judged", Judged.AT_REST) == set(CAN_BE_BROKEN)


def test_of_whom_something_can_be_expected() -> None:
    asked_of_actors = {Gets, GetsExactly, GetsNothing, StartsClean}
    assert those(EXPECTATIONS, "actors_only", True) == asked_of_actors


def those(sentences: tuple[type[Step], ...], trait: str, value: object) -> set[type[Step]]:
    return {sentence for sentence in sentences if getattr(sentence.traits, trait) == value}
