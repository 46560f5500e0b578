"""`autograder doctor`: what this machine keeps submissions from."""

from __future__ import annotations

from rich.text import Text

from autograder.reports.screen import console, say
from autograder.stage import isolation
from autograder.stage.walls import Wall, walls

_TO_TRACE = (
    "let the grader trace, and use seccomp(2): in a container with the capability SYS_PTRACE "
    "(docker run --cap-add=SYS_PTRACE), with kernel.yama.ptrace_scope below 3, and below no other tracer; "
    "without namespaces as root"
)


def doctor(mode: str | None) -> int:
    """What submissions are kept from here, a line each, with the mend of what is missing."""
    screen = console()
    default = isolation.default()
    choice = default if mode is None else isolation.choose(mode)
    found = (*walls(choice.mode), _virtual_time())
    lines = [Text(f"mode {default.mode} is the default: {default.why}")]
    if mode is not None:
        lines.append(Text(f"mode {choice.mode}: {choice.why}"))
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


def _virtual_time() -> Wall:
    """No wall, but told as one: what this machine refuses, and the mend."""
    refusal = isolation.refusal_of_virtual_time(isolation.probe().mode)
    words = "real time alone: " + refusal if refusal else "sleeps and timers cost nothing"
    return Wall("virtual time", not refusal, words, _TO_TRACE, guards=False)
