"""`forklab outputs`: every outcome that a program can have, each with a schedule that leads to it."""

from __future__ import annotations

import argparse
import json
import sys
import time

from forklab.command.usage import UserError, seconds, write
from forklab.explore import Exploration, Outcome, Progress, explore
from forklab.explore.explore import MOST_STATES, SECONDS
from forklab.explore.why import why
from forklab.lens.record import CannotRecordError
from forklab.source import CannotCompileError, Program, runnable

_PAUSE = 1.0  # seconds between two words about how far it is
_SHOWN = 50  # outputs; more only into a file


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    outputs = commands.add_parser(
        "outputs",
        help="every outcome that a program can have, whatever the scheduler does",
        usage="forklab outputs [OPTIONS] -- PROGRAM [ARGUMENT...]",
        description=(
            "Runs PROGRAM by all schedules that there are, and lists what can come of it: each output, exit status,"
            " deadlock, and children that nobody reaped. Each outcome comes with a schedule that leads to it."
            " A .c file is compiled first, a .py file runs under this Python."
        ),
    )
    outputs.add_argument("--json", metavar="FILE", help="write all of it; - is standard output")
    outputs.add_argument("--graph", metavar="FILE.svg", help="draw its process graph")
    outputs.add_argument(
        "--why",
        metavar="TEXT",
        help="why this output is possible, or is not; \\n in it is a new line",
    )
    outputs.add_argument(
        "--text-only",
        action="store_true",
        help="count outcomes that print the same once, however they end",
    )
    outputs.add_argument("--pipe", action="store_true", help="its output is a pipe, no terminal")
    outputs.add_argument(
        "--limit",
        metavar="N",
        type=_number,
        default=MOST_STATES,
        help=f"stop after so many states; default {MOST_STATES}",
    )
    outputs.add_argument(
        "--seconds",
        metavar="S",
        type=seconds,
        default=SECONDS,
        help=f"stop after so many seconds; default {SECONDS:g}",
    )
    outputs.add_argument("program", metavar="PROGRAM", nargs="+", help=argparse.SUPPRESS)


def _number(word: str) -> int:
    if not word.isdecimal() or int(word) == 0:
        raise argparse.ArgumentTypeError(f"{word!r} is not a number of states")
    return int(word)


def run(parsed: argparse.Namespace) -> int:
    """Exit status 0; 1 if what was found may not be all, and with `--why` if the output is not possible."""
    try:
        with runnable(parsed.program) as program:
            sys.stderr.write(program.warnings)
            found = _explore(program, parsed)
    except (CannotRecordError, CannotCompileError) as trouble:
        raise UserError(str(trouble)) from None
    if parsed.json:
        write(parsed.json, json.dumps(found.to_json(), indent=1) + "\n")
    if parsed.graph:
        from forklab.draw.process_graph import process_graph_svg
        from forklab.explore.order import process_graph

        write(parsed.graph, process_graph_svg(process_graph(found.graph)))
    if parsed.why is not None:
        answer = why(found, parsed.why.replace("\\n", "\n"))
        print(answer.text)
        return 0 if answer.possible else 1
    if "-" not in (parsed.json, parsed.graph):
        print(report(found, text_only=parsed.text_only))
    return 0 if found.complete else 1


def _explore(program: Program, parsed: argparse.Namespace) -> Exploration:
    last = time.monotonic()
    shown = sys.stderr.isatty()

    def tell(progress: Progress) -> None:
        nonlocal last
        if shown and time.monotonic() - last > _PAUSE:
            last = time.monotonic()
            words = f"{progress.states} states, {progress.runs} runs, {progress.seconds:.0f} s"
            print(f"\r{words} ", end="", file=sys.stderr, flush=True)

    try:
        return explore(
            program.argv,
            program=program.path,
            pipe=parsed.pipe,
            limit=parsed.limit,
            seconds=parsed.seconds,
            text_only=parsed.text_only,
            tell=tell,
        )
    finally:
        if shown:
            print("\r\033[K", end="", file=sys.stderr)


def report(found: Exploration, *, text_only: bool = False) -> str:
    """For people: each output once, with all the ways in which it can end."""
    lines = [_summary(found, text_only=text_only)]
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
    counted = _count(outputs, "output")
    if not text_only:
        counted += f", {_count(len(found.outcomes), 'outcome')}"
    covered = f"{_count(found.schedules, 'schedule')}, {_count(found.states, 'state')}"
    if found.complete:
        return f"{counted}, and no others ({covered})."
    reasons = "".join(f"\n  {reason}" for reason in found.reasons)
    return f"{counted} at least ({covered} so far). This may not be all:{reasons}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


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
