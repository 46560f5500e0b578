"""What a program really does: the only source of an answer key.

A question may be asked only if its answer is the same whoever runs first, so each program runs under the lens once for
each of SEEDS. A rare race may still hide from them: each kind says what else keeps races out.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from forklab.lens.record import Limits, Recording, record
from forklab.quiz.listing import Listing
from forklab.runnable import CannotCompileError, Runnable
from forklab.source import program_of

SEEDS = (0, 1, 2, 3, 4)
_LIMITS = Limits(processor_seconds=5, processes=40)
_TWO_AT_ONCE = 2  # whoever makes quizzes for a class has work for the other processors

Answer = TypeVar("Answer")


class UnfitError(Exception):
    """This program is no good for a question; another one may be."""


def run(listing: Listing) -> Recording:
    """One run, with the first of SEEDS: enough where the program's own sleeps leave nothing to chance."""
    with program_of(listing.language, listing.text) as program:
        return _checked(program, SEEDS[0])


def runs(listing: Listing, worth_it: Callable[[Recording], bool]) -> tuple[Recording, ...]:
    """A run for each of SEEDS. Raises UnfitError if one of them goes wrong, or if the first is not `worth_it`."""
    with program_of(listing.language, listing.text) as program:
        first = _checked(program, SEEDS[0])
        if not worth_it(first):
            raise UnfitError("a dull program")
        with ThreadPoolExecutor(_TWO_AT_ONCE) as pool:
            others = pool.map(lambda seed: _checked(program, seed), SEEDS[1:])
            return (first, *others)


def agreed(recordings: tuple[Recording, ...], answer: Callable[[Recording], Answer]) -> Answer:
    """The answer of all of them. Raises UnfitError if it depends on who runs first."""
    first, *others = [answer(recording) for recording in recordings]
    if any(other != first for other in others):
        raise UnfitError("its answer depends on who runs first")
    return first


def _checked(program: Runnable, seed: int) -> Recording:
    if program.warnings:
        raise CannotCompileError(program.warnings)
    recording = record(
        program.argv,
        program=program.path,
        hidden_folder=program.folder,
        seed=seed,
        limits=_LIMITS,
    )
    if recording.ended_early or recording.cut or recording.reasons:
        raise UnfitError(recording.ended_early or "it is not the same in every run")
    return recording
