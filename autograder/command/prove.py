"""`autograder prove`: one submission over every schedule."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.text import Text

from autograder.command import losses
from autograder.command.finding import refuse_if_no_submission, scenario_in
from autograder.command.telling import write_text
from autograder.errors import CommandError
from autograder.labs.lab import load_lab
from autograder.labs.scenario import Scenario
from autograder.reports.feedback import explanation
from autograder.reports.screen import console, say
from autograder.submission.intake import BuildError
from autograder.trial.assess import prove_all
from autograder.trial.proof import Loss, Proof, Standing
from forklab.counted import counted

_MARKS = {
    Standing.PROVED: "✓",
    Standing.IN_SMALL: "✓",
    Standing.LOST: "✗",
    Standing.OPEN: "?",
    Standing.SKIPPED: "-",
}
_STYLES = {
    Standing.PROVED: "green",
    Standing.IN_SMALL: "green",
    Standing.LOST: "red",
    Standing.OPEN: "yellow",
    Standing.SKIPPED: "dim",
}
_MOST_STEPS = 40  # the last ones of a loss


class ProofOrder(NamedTuple):
    """What was asked for at the command line."""

    lab: str
    path: Path
    wanted: Sequence[str]
    seconds: float
    json: str | None
    film: str | None


def prove(order: ProofOrder) -> int:
    lab = load_lab(order.lab)
    refuse_if_no_submission(lab, order.path)
    scenarios = [scenario_in(lab, name) for name in order.wanted] or lab.scenarios
    screen = console(to_stderr=order.json == "-")
    width = max(len(scenario.name) for scenario in scenarios)
    try:
        proofs = prove_all(
            lab,
            order.path,
            scenarios,
            seconds=order.seconds,
            on_proof=lambda proof: say(screen, _line(proof, width)),
        )
    except BuildError as failure:
        raise CommandError(f"It cannot be built.\n  {failure}") from failure
    say(screen)
    first = next((proof for proof in proofs if proof.loss is not None), None)
    if first is not None and first.loss is not None:
        _show_loss(screen, first, first.loss, {s.name: s for s in scenarios})
        if order.film is not None:
            from forklab.draw.film.page import film_html

            write_text(order.film, film_html(first.loss.history, title=f"{first.scenario}: lost"))
    say(screen, _summary(proofs))
    if order.json is not None:
        found = losses.forms(lab, order.path, scenarios, proofs)
        write_text(order.json, json.dumps(found, indent=1) + "\n")
    return _exit_status(proofs)


def _line(proof: Proof, width: int) -> Text:
    line = Text(f"{_MARKS[proof.standing]} {proof.scenario:{width}}  ", _STYLES[proof.standing])
    line.append(proof.words)
    if proof.states:
        line.append(
            f"  ({counted(proof.states, 'state')}, {counted(proof.plays, 'play')}, {proof.seconds:.1f} s)",
            "dim",
        )
    return line


def _show_loss(screen: Console, proof: Proof, loss: Loss, scenarios: dict[str, Scenario]) -> None:
    say(screen, Text(f"{_MARKS[Standing.LOST]} {proof.scenario}", _STYLES[Standing.LOST]))
    say(screen)
    for line in explanation(loss.verdict, scenarios[proof.scenario].why, screen.width):
        say(screen, line)
    say(screen)
    which = "the shortest" if loss.is_shortest else "a"
    say(screen, Text(f"This is {which} schedule that loses:", "bold"))
    told = [(does, len(list(same))) for does, same in groupby(loss.steps)]
    if (left_out := len(told) - _MOST_STEPS) > 0:
        say(screen, f"    ... {counted(left_out, 'step')} before that")
    for does, times in told[-_MOST_STEPS:]:
        say(screen, f"    {does}" + (f", {times} times" if times > 1 else ""))
    say(screen)


def _summary(proofs: Sequence[Proof]) -> str:
    counts = {standing: sum(p.standing is standing for p in proofs) for standing in Standing}
    words = {
        Standing.PROVED: "proved",
        Standing.IN_SMALL: "proved with shorter rows",
        Standing.LOST: "lost",
        Standing.OPEN: "not known",
        Standing.SKIPPED: "skipped",
    }
    told = ", ".join(f"{counts[s]} {words[s]}" for s in Standing if counts[s])
    return f"{counted(len(proofs), 'scenario')}: {told}."


def _exit_status(proofs: Sequence[Proof]) -> int:
    found = {proof.standing for proof in proofs}
    if Standing.LOST in found:
        return 1
    return 0 if found <= {Standing.PROVED, Standing.IN_SMALL} else 2
