"""`autograder doctor`: what this machine keeps submissions from."""

from __future__ import annotations

from rich.text import Text

from autograder.language.roles import isolation_of
from autograder.reports.screen import console, say
from autograder.stage import isolation
from autograder.stage.walls import walls


def doctor(mode: str | None) -> int:
    """What submissions are kept from here, a line each, with the mend of what is missing."""
    screen = console()
    choice = isolation.choose(mode)
    found = walls(isolation_of(choice.mode))
    lines = [Text(f"mode {choice.mode}: {choice.why}")]
    widest = max(len(wall.about) for wall in found)
    for wall in found:
        mark, style = (
            ("✓", "green") if wall.stands else ("✗", "red") if wall.guards else ("·", "dim")
        )
        mend = "" if wall.stands else f". Mend: {wall.mend}"
        lines.append(Text(f"{mark} {wall.about:<{widest}}  {wall.words}{mend}", style))
    dangerous = bool(isolation.dangers(mode))
    lines.append(
        Text("Grade only whom you trust here: autograder grade ... --trusting", "red")
        if dangerous
        else Text("A class of strangers can be graded here.", "green")
    )
    for line in lines:
        say(screen, line)
    return int(dangerous)
