"""Every sentence of the language is classified, and its fields are what its blanks fill."""

from __future__ import annotations

from dataclasses import fields
from typing import get_args

import pytest

from autograder.language.beginnings import Beginning, FreezesMainAfterFork, StartsPending
from autograder.language.blanks import BLANKS, FIXED
from autograder.language.deeds import (
    Blocks,
    Catches,
    CatchesEverySignal,
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
    SendsEverySignal,
    SendsOften,
    StartsGroup,
    StartsSession,
    Stops,
    Thaws,
    ThawsMain,
)
from autograder.language.expectations import (
    ExitHandlerIsInits,
    Expectation,
    Gets,
    GetsEverySignal,
    GetsExactly,
    GetsNothing,
    HasNiceValue,
    HasUmask,
    HasVariable,
    IsAlive,
    IsIdle,
    IsIn,
    StartsClean,
    TerminalIsAsBefore,
)
from autograder.language.grammar import blank_name
from autograder.language.sentence import (
    BeginningTraits,
    DeedTraits,
    Doer,
    ExpectationTraits,
    Judged,
    Paired,
    Sentence,
)
from autograder.language.steps import SENTENCES, Step

BEGINNINGS = get_args(Beginning)
DEEDS = get_args(Deed)
EXPECTATIONS = get_args(Expectation)


def test_every_sentence_that_is_written_down_is_one_of_the_language() -> None:
    written = {*Sentence.__subclasses__(), *Paired.__subclasses__()} - {Paired}
    here = {sentence for sentence in written if sentence.__module__.startswith("autograder.")}
    assert here == set(SENTENCES)
    kinds = len(BEGINNINGS) + len(DEEDS) + len(EXPECTATIONS)
    assert len(SENTENCES) == len(set(SENTENCES)) == kinds


@pytest.mark.parametrize("sentence", SENTENCES)
def test_every_sentence_is_classified(sentence: type[Step]) -> None:
    kinds = {BEGINNINGS: BeginningTraits, DEEDS: DeedTraits, EXPECTATIONS: ExpectationTraits}
    [kind] = [traits for sentences, traits in kinds.items() if sentence in sentences]
    assert isinstance(sentence.traits, kind)
    assert sentence.__doc__


@pytest.mark.parametrize("sentence", SENTENCES)
def test_the_blanks_of_a_sentence_fill_its_fields(sentence: type[Step]) -> None:
    filled = {field.name for field in fields(sentence)} - {"line"}
    for reading in sentence.wording.readings:
        blanks = [blank_name(word) for word in reading if word in BLANKS]
        assert sorted({*blanks} - {*FIXED}) == sorted(filled)
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
    acting |= {Stops, Says, CatchesEverySignal}
    assert those(DEEDS, "doer", Doer.ACTOR) == acting
    sending = {Sends, SendsOften, SendsEverySignal}
    to_init = sending | {Freezes, Thaws, ThawsMain}
    assert those(DEEDS, "doer", Doer.OUTSIDE) == to_init | {Continues}
    answered = {Exits, Dies, Reaps, Stops, Continues}
    assert those(DEEDS, "init_may_answer", True) == answered | to_init
    freeing = {Exits, Dies, Continues, Thaws, ThawsMain}
    assert those(DEEDS, "frees_others", True) == freeing | sending
    assert those(DEEDS, "actors_only", False) == to_init
    assert those(BEGINNINGS, "main_may_never_play", True) == {StartsPending, FreezesMainAfterFork}


def test_what_is_judged_at_rest_and_of_whom() -> None:
    inherited = {IsIn, HasVariable, HasUmask, HasNiceValue}
    at_rest = {IsAlive, GetsNothing, GetsExactly, IsIdle, TerminalIsAsBefore} | inherited
    at_rest |= {ExitHandlerIsInits}
    assert those(EXPECTATIONS, "judged", Judged.AT_REST) == at_rest
    asked_of_actors = {Gets, GetsExactly, GetsEverySignal, GetsNothing, StartsClean} | inherited
    assert those(EXPECTATIONS, "actors_only", True) == asked_of_actors


def those(sentences: tuple[type[Step], ...], trait: str, value: object) -> set[type[Step]]:
    return {sentence for sentence in sentences if getattr(sentence.traits, trait) == value}
