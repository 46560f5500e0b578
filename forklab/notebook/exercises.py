"""Words for the reader of a notebook: a question before a program runs, the comparison after it, and a check."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from forklab.history import NoProcessError
from forklab.notebook.last import last
from forklab.notebook.trouble import trouble_of
from forklab.notebook.variants import NotYetError


@dataclass
class _Prediction:
    """The reader's choice, for the next program and for no other."""

    choice: object = None
    program: str | None = None  # the text of that program's cell; it may be run again

    def begin(self, choice: object) -> None:
        self.choice, self.program = choice, None

    def use_for(self, program: str) -> None:
        """For the first program that comes, however often; for another one it is no prediction."""
        self.program = self.program or program
        if program != self.program:
            self.choice = None


prediction = _Prediction()


def predict(question: str, *choices: object, mine: object = None) -> None:
    """Ask before the next program runs; `compare` answers after it. `mine` is the reader's choice, None to skip."""
    if mine is not None and choices and mine not in choices:
        print(f"{mine!r} is none of the choices: {', '.join(map(repr, choices))}.")
        mine = None
    prediction.begin(mine)
    print(question)
    for choice in choices:
        print(f"  {'●' if choice == mine and mine is not None else '○'} {choice}")
    print(f"You say: {mine}." if mine is not None else "Write your choice as mine=... or skip it.")


def compare(right: object, why: Mapping[Any, str] | None = None) -> None:
    """Say gently how the prediction did. `why` has, by wrong choice, what speaks against it.

    It stands in a cell of its own below the program, folded: who has still to predict shall not read it.
    """
    mine = prediction.choice
    if mine is None:
        print(f"It was: {right}.")
    elif mine == right:
        print(f"You said {mine}, and it was {right}. Well seen!")
    else:
        # A choice may be a set, which cannot be looked up.
        remarks = [remark for wrong, remark in (why or {}).items() if wrong == mine]
        remark = remarks[0] if remarks else "The explanation below tells why."
        print(f"You said {mine}, but it was {right}. {remark}")


Claim = tuple[bool, str]


def check(*claims: Claim | Iterator[Claim], hint: str = "") -> None:
    """Check an exercise: each claim is whether it is true, and what to say if it is not.

    A generator of claims is asked for the next one only while all hold: so it may run the program `again` where that
    is worth it. Whose program could not go on, or has crashed, is told so before anything else, and then the
    `hint`: what may be the reason.
    """
    otherwise = _first_that_fails(claims)
    ended_early = last.run is not None and last.run.ended_early
    if otherwise is None and not ended_early:
        print("Right!")
    else:
        print(f"Not yet. {trouble_of(last.run, hint) or otherwise}")


def _first_that_fails(claims: Iterable[Claim | Iterator[Claim]]) -> str | None:
    try:
        return next((otherwise for true, otherwise in _in_turn(claims) if not true), None)
    except NotYetError as reason:
        return str(reason)
    except NoProcessError as missing:
        return f"There is {missing}."


def _in_turn(claims: Iterable[Claim | Iterator[Claim]]) -> Iterator[Claim]:
    for claim in claims:
        if isinstance(claim, tuple):
            yield claim
        else:
            yield from claim
