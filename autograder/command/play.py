"""`autograder play`: one scenario against any init."""

from __future__ import annotations

from collections.abc import Sequence

from autograder.command.finding import any_scenario
from autograder.command.telling import say_mode, write_text
from autograder.errors import CommandError
from autograder.reports.screen import console, show_play
from autograder.safe_text import one_line
from autograder.stage import isolation
from autograder.trial import assess
from autograder.trial.verdict import Status
from forklab.draw.trees.picture import tree_svg


def play(scenario_name: str, init: Sequence[str], svg_file: str | None, mode: str | None) -> int:
    """One scenario against any init."""
    scenario, lab = any_scenario(scenario_name)
    if not init:
        raise CommandError(
            "Which init? Name it after --, for example: autograder play "
            f"{one_line(scenario_name)} -- tini -g --"
        )
    screen = console(to_stderr=svg_file == "-")
    say_mode(screen, isolation.choose(mode))
    [verdict] = assess.judge_installed(init, [scenario], mode=mode, lab=lab)
    show_play(screen, verdict)
    if svg_file is not None:
        write_text(svg_file, tree_svg(verdict.observed.tree(), verdict.remarks, verdict.title))
    return {Status.PASSED: 0, Status.FAILED: 1}.get(verdict.status, 2)
