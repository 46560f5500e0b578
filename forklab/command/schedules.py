"""Schedules in files: `forklab outputs --json` writes them, `forklab run --schedule` follows them."""

from __future__ import annotations

import json

from forklab.command.usage import UserError, read_file
from forklab.jsonform import JsonObject
from forklab.kernel.signals import mask_of
from forklab.steps.moves import CALL, RETURN, SIGNAL, TIME, Move, MoveKind
from forklab.steps.schedule import PLAIN, Grain, Schedule

_KINDS = (CALL, RETURN, SIGNAL, TIME)


def read_schedule(name: str, outcome: int) -> Schedule:
    """The schedule in this file; of what `forklab outputs` has found, that of the outcome of this number, from 1 on.

    Raises UserError, which says what the file should have.
    """
    text = read_file(name)
    try:
        form: object = json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(
            f"{name}, line {error.lineno}: this is no JSON ({error.msg})."
            " Use a file that 'forklab outputs --json FILE' has written."
        ) from None
    if isinstance(form, dict) and isinstance(outcomes := form.get("outcomes"), list):
        if not 1 <= outcome <= len(outcomes):
            raise UserError(f"{name} has outcomes 1 to {len(outcomes)}, and no {outcome}.")
        form = outcomes[outcome - 1]
    grain = PLAIN
    if isinstance(form, dict):
        grain, form = _grain(name, form), form.get("schedule")
    if not isinstance(form, list):
        raise UserError(f"{name} has no schedule: a list of steps, or an outcome that has one.")
    moves = tuple(_step(name, number, step) for number, step in enumerate(form, start=1))
    return Schedule(moves, grain)


def _step(name: str, number: int, step: object) -> Move:
    if isinstance(step, dict) and step.get("kind") in _KINDS:
        process = step.get("process")
        if isinstance(process, str):
            return Move(process, MoveKind(step["kind"]))
    raise UserError(
        f"{name}, step {number}: a step has a process and a kind, as"
        ' {"process": "P.1", "kind": "call"}; kinds are ' + ", ".join(_KINDS) + "."
    )


def _grain(name: str, form: JsonObject) -> Grain:
    unwatched, shared = form.get("unwatched", []), form.get("shared", [])
    if not isinstance(shared, list) or not all(isinstance(word, str) for word in shared):
        raise UserError(f'{name}: "shared" is a list of names, as ["file /tmp/a.txt"].')
    try:
        if isinstance(unwatched, list):
            return Grain(mask_of(unwatched), frozenset(shared))
    except (TypeError, ValueError, AttributeError):
        pass
    raise UserError(f'{name}: "unwatched" is a list of signals, as ["SIGINT"].')
