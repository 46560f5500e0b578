"""`forklab run`: a program under the lens, and the tree of all its processes."""

from __future__ import annotations

import argparse
import json
import os
import sys

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
    seed,
    whole_number,
    write_file,
    write_picture,
)
from forklab.counted import counted
from forklab.kernel.statuses import in_shell
from forklab.lens.edge.descriptors import inherited
from forklab.lens.record import (
    DEVNULL,
    CannotRecordError,
    CannotTraceError,
    Limits,
    Recording,
    RecordingInterrupted,
    record,
)
from forklab.runnable import CannotCompileError

_SECONDS = 10.0  # on the processor, if nobody says otherwise
_MOST_LINES = 30  # of the tree of what had to be ended: a fork bomb has hundreds
_TRACERS = frozenset({"strace", "ltrace", "gdb", "lldb", "rr"})


def add_parser(commands: Subcommands) -> argparse.ArgumentParser:
    run = commands.add_parser(
        "run",
        help="run a program under the lens and show what all its processes did",
        usage="forklab run [OPTIONS] PROGRAM [ARGUMENT...]",
        description=(
            "Runs PROGRAM with all its processes under the lens, in virtual time: sleeps cost nothing."
            " Its output goes to standard output, then the tree goes to standard error."
            " A C or C++ file is compiled first, a .py file runs under this Python."
        ),
    )
    run.add_argument("--json", metavar="FILE", help="write its whole history; - is standard output")
    run.add_argument("--svg", metavar="FILE", help="draw its tree at the end")
    run.add_argument("--lanes", metavar="FILE", help="draw its processes in time, a lane each")
    run.add_argument("--film", metavar="FILE.html", help="make a film of it, for a browser")
    run.add_argument("--seed", metavar="N", type=seed, default=0, help="who runs when; default 0")
    run.add_argument(
        "--schedule",
        metavar="FILE",
        help="follow a schedule instead: a file that 'forklab outputs --json' has written",
    )
    run.add_argument(
        "--outcome",
        metavar="N",
        type=whole_number("the number of an outcome"),
        help="with --schedule: which of its outcomes; default 1",
    )
    run.add_argument("--real-time", action="store_true", help="let clocks and processes run free")
    run.add_argument("--pipe", action="store_true", help="its output is a pipe, not a terminal")
    run.add_argument("--unbuffered", action="store_true", help=UNBUFFERED)
    run.add_argument(
        "--timeout",
        metavar="S",
        type=seconds,
        help="end it after so many seconds on the processor (default 10), or of waiting for its input",
    )
    add_program(run)
    return run


def run(parsed: argparse.Namespace) -> int:
    limit = _SECONDS if parsed.timeout is None else parsed.timeout
    limits = Limits(processor_seconds=limit, waiting_seconds=parsed.timeout)
    if parsed.real_time:
        limits.real_seconds = limit
    schedule = None
    if parsed.schedule is not None:
        from forklab.command.schedules import read_schedule

        schedule = read_schedule(parsed.schedule, parsed.outcome or 1)
    elif parsed.outcome is not None:
        raise UserError("--outcome is one of those in a schedule's file: add --schedule FILE.")
    if os.path.basename(parsed.program[0]) in _TRACERS:
        print(
            f"forklab: {parsed.program[0]} can't trace here: forklab traces already,"
            " and a process has one tracer only. Run one of the two.",
            file=sys.stderr,
        )
    quiet = "-" in (parsed.json, parsed.svg, parsed.lanes, parsed.film)
    try:
        with runnable(parsed.program) as program:
            sys.stderr.write(program.warnings)
            recording = record(
                program.argv,
                program=program.path,
                seed=parsed.seed,
                schedule=schedule,
                real_time=parsed.real_time,
                pipe=parsed.pipe,
                environment=environment_for(program, unbuffered=parsed.unbuffered),
                limits=limits,
                stdin=None if schedule is None else DEVNULL,
                keeps=inherited() if schedule is None else (),
                echo=not quiet,
                forks=True,
            )
    except RecordingInterrupted as stopped:
        _show(stopped.recording, parsed)
        return INTERRUPTED
    except CannotTraceError as refusal:
        print(f"forklab: {refusal}", file=sys.stderr)
        return _look(parsed)
    except (CannotRecordError, CannotCompileError) as error:
        raise UserError(str(error)) from None
    if schedule is not None:
        say_what_is_not_read()
    _show(recording, parsed)
    if recording.lost is not None:
        raise UserError(f"what the program printed can't be written: {recording.lost}.")
    return _exit_status(recording.status)


def _exit_status(status: int | None) -> int:
    """As a shell says it; 124 for what had to be ended."""
    return 124 if status is None else in_shell(status)


def _look(parsed: argparse.Namespace) -> int:
    """What is left where nothing may be traced: real time, and one look at the tree when everybody sleeps."""
    from forklab.draw.trees.picture import tree_svg
    from forklab.draw.trees.text import tree_text
    from forklab.lens.untraced.snapshot import CannotRunError, snapshot

    print(
        "  So it runs in real time and without input, and its tree is that of its first rest.",
        file=sys.stderr,
    )
    limit = parsed.timeout or _SECONDS
    try:
        with runnable(parsed.program) as program:
            argv = [program.path or program.argv[0], *program.argv[1:]]
            seen = snapshot(argv, seconds=limit)
    except CannotRunError as error:
        raise UserError(str(error)) from None
    print(seen.output, end="")
    if seen.ended_early:
        print(f"forklab: {seen.ended_early}", file=sys.stderr)
    if seen.left:
        print(
            f"forklab: It was ended, {' and '.join(seen.left)} being asleep or stopped:"
            f" --timeout gives it longer than {counted(limit, 'second')}.",
            file=sys.stderr,
        )
    print(tree_text(seen.tree, seen.remarks), file=sys.stderr)
    if parsed.json:
        write_file(parsed.json, json.dumps(seen.history.to_json(), indent=1) + "\n")
    if parsed.svg:
        write_picture(parsed.svg, lambda: tree_svg(seen.tree, seen.remarks))
    return _exit_status(seen.statuses.get("P"))


def _show(recording: Recording, parsed: argparse.Namespace) -> None:
    from forklab.draw.trees.text import tree_text

    _complain(recording)
    lines = tree_text(recording.tree).splitlines()
    if recording.ended_early and len(lines) > _MOST_LINES:
        more = (
            f"... and {counted(len(lines) - _MOST_LINES, 'line')} more: --json FILE has everybody."
        )
        lines[_MOST_LINES:] = [more]
    print("\n".join(lines), file=sys.stderr)
    if parsed.json:
        write_file(parsed.json, json.dumps(recording.to_json(), indent=1) + "\n")
    if parsed.svg or parsed.lanes or parsed.film:
        _draw(recording, parsed)


def _draw(recording: Recording, parsed: argparse.Namespace) -> None:
    # Here: Graphviz and templates take as long to load as all the rest, and most runs have no use for them.
    from forklab.draw.film.page import film_html
    from forklab.draw.lanes.picture import lanes_svg
    from forklab.draw.trees.picture import tree_svg

    history, title = recording.history, " ".join(parsed.program)
    if parsed.svg:
        write_picture(parsed.svg, lambda: tree_svg(recording.tree))
    if parsed.lanes:
        write_file(parsed.lanes, lanes_svg(history, title))
    if parsed.film:
        write_picture(parsed.film, lambda: film_html(history, title=title))


def _complain(recording: Recording) -> None:
    """What one has to know before one believes the tree."""
    if recording.ended_early:
        print(f"forklab: {recording.ended_early} It was ended.", file=sys.stderr)
    if recording.cut:
        print("forklab: It wrote so much that the rest of its output was dropped.", file=sys.stderr)
    if not recording.real_pids:
        print(
            "forklab: This machine gives no PID namespace: pids were renumbered from 1000.",
            file=sys.stderr,
        )
    for remark in recording.remarks:
        print(f"forklab: Without a lens this may end otherwise: {remark}.", file=sys.stderr)
    if recording.reasons and recording.seed is not None:
        reasons = " and ".join(recording.reasons)
        print(f"forklab: Another run may come out differently: {reasons}.", file=sys.stderr)
