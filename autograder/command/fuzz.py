"""`autograder fuzz`: plays that nobody wrote, until a submission fails one."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from autograder.command.finding import refuse_if_no_submission
from autograder.command.telling import say_mode, write_text
from autograder.errors import CommandError
from autograder.labs.generate import as_file
from autograder.labs.lab import Lab, load_lab
from autograder.labs.playbill import MODEL_OF_INIT
from autograder.reports.feedback import MARKS, STYLES, explanation, wrapped
from autograder.reports.film import film_of_play
from autograder.reports.screen import console, say, show_play
from autograder.safe_text import one_line
from autograder.stage import isolation
from autograder.submission.intake import BuildError
from autograder.trial.search import Finding, Search
from autograder.trial.verdict import Status, Verdict
from forklab.counted import counted

_SEEDS = 1_000_000
_FAILED, _UNDECIDED = 1, 2


@dataclass(frozen=True)
class FuzzOrder:
    """What is asked for at the command line. `out` and `film` are files for the play that is found, if any."""

    lab: str
    path: Path
    plays: int
    seconds: float | None
    seed: int | None
    mode: str | None
    out: str | None
    film: str | None

    @property
    def file(self) -> Path:
        """Where the play is to be when it is played again: in virtual time its name decides who is next."""
        return Path("found.toml" if self.out in (None, "-") else str(self.out))


def fuzz_submission(order: FuzzOrder) -> int:
    """Plays, tells what has been found, and answers the exit status."""
    lab = load_lab(order.lab)
    _refuse_labs_without_model(lab)
    refuse_if_no_submission(lab, order.path)
    fuzz = _fuzz()
    screen = console(to_stderr="-" in (order.out, order.film))
    say_mode(screen, isolation.choose(order.mode))
    seed = random.randrange(_SEEDS) if order.seed is None else order.seed
    try:
        search = fuzz(
            lab,
            order.path,
            mode=order.mode,
            plays=order.plays,
            seconds=order.seconds,
            seed=seed,
            name=order.file.stem,
            on_play=lambda search: _show_progress(screen, search, order.plays),
        )
    except BuildError as failure:
        say(screen, Text(f"{MARKS[Status.FAILED]} not built", STYLES[Status.FAILED]))
        for line in wrapped(str(failure), screen.width):
            say(screen, line)
        return _FAILED
    if screen.is_terminal:
        say(screen)
    _tell_of_unsteady(screen, search)
    if search.undecided is not None:
        _show_undecided(screen, search.undecided, seed)
        return _UNDECIDED
    if search.finding is None:
        say(screen, f"Nothing found in {counted(search.plays, 'play')} (seed {seed}).")
        return 0
    _show_finding(screen, order, search, search.finding, seed)
    return _FAILED


def _fuzz() -> Callable[..., Search]:
    try:
        from autograder.trial.fuzz import fuzz
    except ModuleNotFoundError as error:
        if error.name != "hypothesis":
            raise
        raise CommandError(
            "fuzz needs hypothesis, which draws the plays and makes them smaller, and is not installed.\n"
            "  Install it: pip install 'forklab[fuzz]', or make setup in a clone."
        ) from None
    return fuzz


def _refuse_labs_without_model(lab: Lab) -> None:
    if lab.bill.expected != MODEL_OF_INIT:
        raise CommandError(
            f"lab {one_line(lab.name)} cannot be fuzzed yet: plays are made with the model of a perfect init, "
            "and nobody has written one of this program."
        )


def _show_progress(screen: Console, search: Search, of: int) -> None:
    """A line that is written over and over; to a terminal alone."""
    if screen.is_terminal:
        screen.print(f"  play {search.plays} of {of}", end="\r", style="dim")


def _tell_of_unsteady(screen: Console, search: Search) -> None:
    if search.unsteady:
        plays = counted(len(search.unsteady), "play")
        what = f"{plays} failed once, and not when played again: that counts for nothing."
        say(screen, Text(what, "dim"))


def _show_undecided(screen: Console, verdict: Verdict, seed: int) -> None:
    what = "This play could not be judged" if verdict.status is Status.ERROR else "Skipped"
    say(screen, f"{what} (seed {seed}).")
    say(screen)
    for line in explanation(verdict, width=screen.width):
        say(screen, line)


def _show_finding(
    screen: Console, order: FuzzOrder, search: Search, finding: Finding, seed: int
) -> None:
    """The scenario as a file, the play with the processes after each of its lines, and why it failed."""
    now = len(finding.scenario.steps)
    size = counted(finding.steps, "line") + ("" if now == finding.steps else f", now {now}")
    smaller = "" if search.whole else " It may not be the smallest one: the time was over."
    say(screen, f"Play {search.plays} fails (seed {seed}): {size}.{smaller}")
    text = as_file(finding.scenario)
    if order.out is None:
        say(screen)
        say(screen, text)
    else:
        write_text(order.out, text)
    show_play(screen, finding.verdict)
    if order.film is not None:
        seen = finding.verdict
        write_text(order.film, film_of_play(seen.observed, seen.title, seen.script))
    file = one_line(str(order.file))
    mode = f" --mode {order.mode}" if order.mode else ""
    again = f"autograder check {one_line(order.lab)} {one_line(str(order.path))} --scenario {file}{mode}"
    say(screen)
    say(screen, Text(f"To play it again: {again}", "dim"))
