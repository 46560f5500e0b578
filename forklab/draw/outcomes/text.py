"""All that a program can print and how it can end, in plain text."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from forklab.counted import counted
from forklab.explore import Exploration, Outcome
from forklab.steps.deeds import DeedKind

_READABLE = 15  # digits
_SHOWN = 50  # outputs; more only into a file
BUFFERS_DECIDE = (
    "Buffers decide this: if each printf were written at once, as in a book, the outputs would be others"
    " (--unbuffered)."
)


def outcomes_text(found: Exploration, *, text_only: bool = False) -> str:
    """For people: each output once, with all the ways in which it can end."""
    lines = [_summary(found, text_only=text_only)]
    if found.unbuffered is not None:
        lines.append(BUFFERS_DECIDE)
    outputs: dict[str, list[tuple[int, Outcome]]] = {}
    for number, outcome in enumerate(found.outcomes, start=1):
        outputs.setdefault(outcome.output, []).append((number, outcome))
    for place, (output, ways) in enumerate(outputs.items()):
        if place == _SHOWN:
            lines += ["", f"... and {len(outputs) - _SHOWN} more: --json FILE has them all."]
            break
        lines += ["", *_shown(output)]
        if not text_only:
            lines += [f"  {number:>4}  {_end(outcome)}" for number, outcome in ways]
    return "\n".join(lines)


def _summary(found: Exploration, *, text_only: bool) -> str:
    outputs = len(found.outputs)
    found_so_far = counted(outputs, "output")
    if not text_only and not found.ends_vary:
        found_so_far += f", {counted(len(found.outcomes), 'outcome')}"
    covered = f"{_schedules(found.schedules)}, {counted(found.states, 'state')}"
    if found.complete:
        only = "\nWho is a zombie in the end was not explored." if found.ends_vary else ""
        return f"{found_so_far}, and no others ({covered}).{only}"
    reasons = "".join(f"\n  {reason}" for reason in found.reasons)
    known = f"\n{_in_common(found.outcomes)}" if found.outcomes else ""
    return f"{found_so_far} at least ({covered} so far). This may not be all:{reasons}{known}"


def _in_common(outcomes: Sequence[Outcome]) -> str:
    """What is certain of those that have been found: each was learned from real runs."""
    lines = {len(outcome.output.splitlines()) for outcome in outcomes}
    processes = {
        1 + sum(step.deed.kind is DeedKind.FORK for step in outcome.schedule)
        for outcome in outcomes
    }
    which = "Each that was found" if len(outcomes) > 1 else "It"
    return f"{which} has {_range(lines, 'line')}, of {_range(processes, 'process', 'processes')}."


def _range(numbers: Collection[int], noun: str, plural: str = "") -> str:
    least, most = min(numbers), max(numbers)
    largest = counted(most, noun, plural)
    return largest if least == most else f"{least:,} to {largest}"


def _schedules(number: int) -> str:
    digits = len(str(number))
    return counted(number, "schedule") if digits <= _READABLE else f"10^{digits - 1} schedules"


def _shown(output: str) -> list[str]:
    if not output:
        return ["(prints nothing)"]
    lines = output.split("\n")
    if lines[-1] == "":
        lines.pop()
    else:
        lines[-1] += "  (no newline)"
    return [f"| {line}" for line in lines]


def _end(outcome: Outcome) -> str:
    words = []
    if outcome.exit is not None:
        words.append(f"exits {outcome.exit}")
    if outcome.signal is not None:
        words.append(f"is killed by {outcome.signal}")
    words += [f"{name} for ever {what}" for name, what in outcome.waits]
    if outcome.unreaped:
        words.append(f"{' and '.join(outcome.unreaped)} not reaped")
    return "; ".join(words)
