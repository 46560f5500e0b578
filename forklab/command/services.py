"""`forklab services`: a service manager for the units of a folder."""

from __future__ import annotations

import argparse
import os
import select
import sys
import time
from pathlib import Path

from forklab.command.usage import Subcommands, UserError
from forklab.services.journal import WARNING, Record

_LONGEST_LINE = 500  # bytes: a pipe that has room takes so many at once (PIPE_BUF, pipe(7))


def add_parser(commands: Subcommands) -> argparse.ArgumentParser:
    services = commands.add_parser(
        "services",
        help="run the units of a folder: a service manager as systemd is one",
        description=(
            "Runs the services of the unit files in DIR, and says what starts and stops. Needs no privileges;"
            " may be PID 1 of a namespace. 'forklab ctl' talks to it. ^C or SIGTERM: everything is stopped in order;"
            " ^C once more: at once."
        ),
    )
    services.add_argument("folder", metavar="DIR", type=Path, help="where the unit files are")
    services.add_argument(
        "units",
        metavar="UNIT",
        nargs="*",
        help="what to start; without: default.target, if DIR has it",
    )
    services.add_argument(
        "--vendor",
        metavar="DIR",
        type=Path,
        action="append",
        default=[],
        help="more units, as a distribution brings them; those of the first DIR count before them",
    )
    services.add_argument(
        "--runtime",
        metavar="DIR",
        type=Path,
        help="a folder for its sockets and its journal, which go with it; see 'forklab ctl --help'",
    )
    services.add_argument(
        "--journal", metavar="FILE", type=Path, help="keep the journal here, also afterwards"
    )
    services.add_argument("--quiet", action="store_true", help="say what goes wrong, nothing else")
    return services


def run(parsed: argparse.Namespace) -> int:
    """Raises UserError."""
    from forklab.built import CannotBuildError
    from forklab.services.folder import Folders
    from forklab.services.keepers import keeper_program
    from forklab.services.place import PlaceError, usual_place
    from forklab.services.run import run as run_manager

    if not parsed.folder.is_dir():
        raise UserError(f"{parsed.folder} is no folder: give one with unit files.")
    folders = Folders([each.absolute() for each in (parsed.folder, *parsed.vendor)])
    runtime = (parsed.runtime or usual_place()).absolute()
    about = f" --runtime {runtime}" * (runtime != usual_place().absolute())
    words = f"In another terminal 'ctl{about} status' shows how all stands. ^C stops everything."
    _tell(Record(time.time(), "", words), WARNING if parsed.quiet else 7)
    try:
        return run_manager(
            folders,
            runtime,
            keeper_program(),
            parsed.units,
            journal=parsed.journal,
            heard=lambda record: _tell(record, WARNING if parsed.quiet else 7),
        )
    except (PlaceError, CannotBuildError) as error:
        raise UserError(str(error)) from None


def _tell(record: Record, most: int) -> None:
    """A line on standard error, if there is room: a terminal that is held, or a reader that hangs, stops nobody."""
    if record.priority > most:
        return
    at = time.strftime("%H:%M:%S", time.localtime(record.time))
    about = "" if not record.unit or record.unit in record.text else f"{record.unit}: "
    line = f"{at} {about}{record.text}".encode(errors="replace")[:_LONGEST_LINE] + b"\n"
    watched = select.poll()
    try:
        watched.register(sys.stderr.fileno(), select.POLLOUT)
        if watched.poll(0):
            os.write(sys.stderr.fileno(), line)
    except OSError:
        pass  # nobody reads it any more
