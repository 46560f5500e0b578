"""`autograder check --schedule`: what a proof has lost, played again step by step."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from autograder.command.check import show
from autograder.command.finding import refuse_if_no_submission
from autograder.command.losses import losing_plays
from autograder.command.telling import write_text
from autograder.errors import CommandError
from autograder.labs.lab import load_lab
from autograder.language.roles import VIRTUAL
from autograder.reports.screen import console
from autograder.submission.intake import BuildError
from autograder.trial import assess
from autograder.trial.decide import UndecidedError


class FollowOrder(NamedTuple):
    """What was asked for at the command line."""

    lab: str
    path: Path
    schedule: Path
    wanted: Sequence[str]
    json: str | None
    film: str | None
    everything: bool
    mode: str | None
    seed: int
    gradescope: Path | None


def follow(order: FollowOrder) -> int:
    if order.mode not in (None, VIRTUAL) or order.seed or order.gradescope:
        raise CommandError(
            "--schedule: each step is given, in virtual time.\n"
            "  Leave out --mode, --seed and --gradescope."
        )
    lab = load_lab(order.lab)
    refuse_if_no_submission(lab, order.path)
    plays = losing_plays(order.schedule, lab, order.path, order.wanted)
    try:
        assessment, histories = assess.follow(lab, order.path, plays)
    except BuildError as failure:
        raise CommandError(f"It cannot be built.\n  {failure}") from failure
    except UndecidedError as undecided:
        raise CommandError(
            f"{order.schedule}: the play goes another way. {undecided.trouble}."
        ) from undecided
    if order.film is not None:
        from forklab.draw.film.page import film_html

        write_text(order.film, film_html(histories[0], title=f"{plays[0][0].name}: lost"))
    screen = console(to_stderr=order.json == "-")
    scenarios = [scenario for scenario, _ in plays]
    return show(screen, assessment, scenarios, order.json, everything=order.everything)
