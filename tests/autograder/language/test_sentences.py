"""Every sentence of the language is classified, and its fields are what its blanks fill."""

from __future__ import annotations

from dataclasses import fields
from typing import get_args

import pytest

from autograder.language.bands import IsInBand, IsInPlace, IsNotInBand, LeadsBand, LeadsNoBand
from autograder.language.beginnings import Beginning, FreezesMainAfterFork, StartsPending
from autograder.language.blanks import BLANKS, FIXED
from autograder.language.deeds import (
    Blocks,
    Catches,
    CatchesEverySignal,
    Continues,
    Deed,
    Dies,
    EndsInput,
    Exits,
    ExitsLater,
    FillsFile,
    Forks,
    Freezes,
    Ignores,
    LetsExit,
    LetsPass,
    Presses,
    Reads,
    Reaps,
    Runs,
    Says,
    Sends,
    SendsAtAnyMoment,
    SendsEverySignal,
    SendsOften,
    StartsGroup,
    StartsSession,
    Stops,
    Thaws,
    ThawsMain,
    TriesToSay,
    Types,
)
from autograder.language.expectations import (
    EndsWith,
    Expectation,
    Gets,
    GetsEverySignal,
    GetsExactly,
    GetsNothing,
    HasArguments,
    HasChildren,
    HasDied,
    HasExited,
    HasForked,
    HasRun,
    IsAlive,
    IsChild,
    IsIdle,
    IsReaped,
    IsStopped,
    IsZombie,
    NobodyIsLeft,
)
from autograder.language.grammar import blank_name
from autograder.language.inheritance import (
    ExitHandlerIsInits,
    HasNiceValue,
    HasUmask,
    HasVariable,
    IsIn,
    StartsClean,
    TerminalIsAsBefore,
)
from autograder.language.sentence import (
    BeginningTraits,
    DeedTraits,
    Doer,
    ExpectationTraits,
    Judged,
    Sentence,
)
from autograder.language.services import Controls, CtlEnds, IsReady, JournalHas, UnitIs
from autograder.language.steps import SENTENCES, Step
from autograder.language.streams import (
    ErrorOutputIs,
    HasAsStandard,
    HasErrorOutput,
    HasFoundTheEnd,
    HasNoSpareDescriptors,
    HasOutput,
    HasRead,
    OutputInAnyOrder,
    OutputIs,
    WritesTo,
)

BEGINNINGS = get_args(Beginning)
DEEDS = get_args(Deed)
EXPECTATIONS = get_args(Expectation)


def test_every_sentence_that_is_written_down_is_one_of_the_language() -> None:
    def below(family: type) -> set[type]:
        return {family}.union(*map(below, family.__subclasses__()))

    here = {kind for kind in below(Sentence) if kind.__module__.startswith("autograder.")}
    # What is said nowhere is no sentence, but only lends its fields to some.
    assert {kind for kind in here if hasattr(kind, "wording")} == set(SENTENCES)
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
    filled = {field.name for field in fields(sentence)} - {"line", "subject"}
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
    acting |= {
        Stops,
        Says,
        CatchesEverySignal,
        TriesToSay,
        Reads,
        Runs,
        FillsFile,
        ExitsLater,
        IsReady,
    }
    assert those(DEEDS, "doer", Doer.ACTOR) == acting
    sending = {Sends, SendsOften, SendsEverySignal, SendsAtAnyMoment}
    to_init = sending | {Freezes, Thaws, ThawsMain, Types, Presses, EndsInput}
    to_init |= {LetsExit, LetsPass, Controls}
    assert those(DEEDS, "doer", Doer.OUTSIDE) == to_init | {Continues}
    answered = {Exits, Dies, Reaps, Stops, Continues, TriesToSay, Reads, Runs, FillsFile, IsReady}
    assert those(DEEDS, "init_may_answer", True) == answered | to_init
    freeing = {Exits, Dies, Continues, Thaws, ThawsMain, Types, Presses, EndsInput}
    freeing |= {TriesToSay, Reads, Runs, LetsPass, Controls}
    assert those(DEEDS, "frees_others", True) == freeing | sending
    assert those(DEEDS, "actors_only", False) == to_init
    assert those(BEGINNINGS, "main_may_never_play", True) == {StartsPending, FreezesMainAfterFork}


CAN_BE_BROKEN = {
    IsAlive: "it dies",
    IsZombie: "somebody reaps it",
    IsChild: "its parent dies",
    IsStopped: "somebody continues it",
    GetsNothing: "a signal comes",
    Gets: "one that stopped it is undone by the next",
    GetsEverySignal: "the same",
    GetsExactly: "one more comes",
    IsIdle: "it wakes up",
    StartsClean: "somebody else takes the terminal",
    IsIn: "it has not executed anything yet",
    HasVariable: "the same",
    HasUmask: "the same",
    HasNiceValue: "init changes it from outside",
    TerminalIsAsBefore: "somebody takes it",
    ExitHandlerIsInits: "one more leaves",
    NobodyIsLeft: "somebody is born",
    HasForked: "somebody else is older",
    HasChildren: "one more is born",
    HasRun: "one more runs",
    HasArguments: "it executes something else",
    IsInBand: "it moves to another one",
    IsNotInBand: "the same",
    LeadsBand: "the same",
    LeadsNoBand: "the same",
    IsInPlace: "somebody else gets the terminal",
    WritesTo: "it closes its output",
    HasAsStandard: "the same",
    HasNoSpareDescriptors: "it has not executed anything yet",
    HasRead: "the next line comes",
    HasFoundTheEnd: "the same",
    OutputIs: "more is written",
    OutputInAnyOrder: "the same",
    ErrorOutputIs: "the same",
    CtlEnds: "the answer comes",
    UnitIs: "it gets into another state",
}
NOBODY_CAN_UNDO = {HasExited, HasDied, IsReaped, HasOutput, HasErrorOutput, EndsWith, JournalHas}


def test_what_can_be_broken_after_it_came_true_is_judged_at_rest() -> None:
    """The rule of rest: whoever adds an expectation says here what could break it, or that nothing can."""
    assert set(CAN_BE_BROKEN) | NOBODY_CAN_UNDO == set(EXPECTATIONS)
    assert those(EXPECTATIONS, "judged", Judged.AT_REST) == set(CAN_BE_BROKEN)


def test_of_whom_something_can_be_expected() -> None:
    asked_of_actors = {Gets, GetsExactly, GetsEverySignal, GetsNothing, StartsClean}
    asked_of_actors |= {IsIn, HasVariable, HasUmask, HasNiceValue, HasArguments}
    asked_of_actors |= {HasNoSpareDescriptors, HasRead, HasFoundTheEnd}
    assert those(EXPECTATIONS, "actors_only", True) == asked_of_actors


def test_what_is_about_how_an_actor_began() -> None:
    """That is noted only in plays in which one of these is asked."""
    assert those(EXPECTATIONS, "of_the_start", True) == {StartsClean, HasNoSpareDescriptors}


def those(sentences: tuple[type[Step], ...], trait: str, value: object) -> set[type[Step]]:
    return {sentence for sentence in sentences if getattr(sentence.traits, trait) == value}
