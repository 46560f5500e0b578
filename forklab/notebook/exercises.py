"""What a notebook says to who has solved an exercise, or not yet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from forklab.history import NoProcessError
from forklab.notebook.last import last
from forklab.notebook.trouble import trouble_of
from forklab.notebook.variants import NotYetError

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
