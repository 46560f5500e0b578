"""`forklab outputs`: every outcome that a program can have, each with a schedule that leads to it."""

from __future__ import annotations

import argparse
import json
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from forklab import standard
from forklab.bounds import MOST_STATES, SECONDS, Progress, Stop
from forklab.command.usage import (
    INTERRUPTED,
    UNBUFFERED,
    Subcommands,
    UserError,
    add_program,
    environment_for,
    runnable,
    say_what_is_not_read,
    seconds,
    whole_number,
    write_file,
)
from forklab.counted import counted

_PAUSE = 1.0  # seconds between two words about how far it is


def add_parser(commands: Subcommands) -> argparse.ArgumentParser:
    outputs = commands.add_parser(
        "outputs",
        help="every outcome that a program can have, whatever the scheduler does",
        usage="forklab outputs [OPTIONS] PROGRAM [ARGUMENT...]",
        description=(
            "Runs PROGRAM by all schedules that there are, and lists what can come of it: each output, exit status,"
            " deadlock, and children that nobody reaped. Each outcome comes with a schedule that leads to it."
            " A C or C++ file is compiled first, a .py file runs under this Python."
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
    outputs.add_argument("--unbuffered", action="store_true", help=UNBUFFERED)
    outputs.add_argument(
        "--limit",
        metavar="N",
        type=whole_number("a number of states"),
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
    # What begins like a negative number is a value: the text of --why, as none of our options begins so.
    outputs._negative_number_matcher = re.compile(r"^-\d")
    add_program(outputs)
    return outputs


def run(parsed: argparse.Namespace) -> int:
    """Exit status 0; 1 if what was found may not be all, and with `--why` if the output is not possible.

    130 on Ctrl-C: what was found until then is said. A second one ends it at once.
    """
    # Only here: the other commands have no need of all this.
    from forklab.explore import explore
    from forklab.explore.buffering import compared
    from forklab.lens.record import CannotRecordError
    from forklab.runnable import CannotCompileError

    started = time.monotonic()
    try:
        with runnable(parsed.program) as program, _progress() as tell, _ends_early() as stop:
            sys.stderr.write(program.warnings)
            found = explore(
                program.argv,
                program=program.path,
                pipe=parsed.pipe,
                environment=environment_for(program, unbuffered=parsed.unbuffered),
                limit=parsed.limit,
                seconds=parsed.seconds,
                text_only=parsed.text_only,
                tell=tell,
                stop=stop,
                forks=True,
            )
            if not parsed.unbuffered and not stop.is_asked:
                found = compared(
                    found,
                    program.argv,
                    program=program.path,
                    pipe=parsed.pipe,
                    limit=parsed.limit,
                    seconds=parsed.seconds - (time.monotonic() - started),
                    stop=stop,
                    forks=True,
                )
    except (CannotRecordError, CannotCompileError) as error:
        raise UserError(str(error)) from None
    say_what_is_not_read()
    if parsed.json:
        write_file(parsed.json, json.dumps(found.to_json(), indent=1) + "\n")
    if parsed.graph:
        from forklab.draw.outcomes.graph_picture import process_graph_svg
        from forklab.explore.order import MOST_VERTICES

        graph = found.process_graph
        if len(graph.vertices) > MOST_VERTICES:
            raise UserError(
                f"its process graph has {len(graph.vertices):,} dots: nobody could read a picture of it."
            )
        write_file(parsed.graph, process_graph_svg(graph))
    if parsed.why is not None:
        from forklab.explore.why import why

        answer = why(found, _as_written(parsed.why).replace("\\n", "\n"))
        print(answer.text)
        return _status(stop, is_good=answer.possible)
    if "-" not in (parsed.json, parsed.graph):
        from forklab.draw.outcomes.text import outcomes_text

        print(outcomes_text(found, text_only=parsed.text_only))
    return _status(stop, is_good=found.complete)


def _status(stop: Stop, *, is_good: bool) -> int:
    if stop.is_asked:
        return INTERRUPTED
    return 0 if is_good else 1


@contextmanager
def _ends_early() -> Iterator[Stop]:
    """On Ctrl-C, the first time: a search is asked to come to its end, and not torn off in the middle of a step."""
    stop = Stop("you have pressed Ctrl-C")

    def interrupt(number: int, frame: object) -> None:
        stop.ask()
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


def _as_written(argument: str) -> str:
    """What a program writes is read as UTF-8, whatever the locale takes its arguments for."""
    return argument.encode(errors="surrogateescape").decode(errors="replace")


@contextmanager
def _progress() -> Iterator[Callable[[Progress], None]]:
    """Says at a terminal how far it is, now and then, and takes it back in the end."""
    last = time.monotonic()
    watched, told = standard.can_erase(sys.stderr), False

    def tell(progress: Progress) -> None:
        nonlocal last, told
        if watched and time.monotonic() - last > _PAUSE:
            last, told = time.monotonic(), True
            words = (
                f"{counted(progress.states, 'state')}, {counted(progress.runs, 'run')}, "
                f"{progress.seconds:.0f} s"
            )
            print(f"\r{words} ", end="", file=sys.stderr, flush=True)

    try:
        yield tell
    finally:
        if told:
            print("\r\033[K", end="", file=sys.stderr)
