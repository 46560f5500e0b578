"""The `forklab` command: its subcommands, its exit statuses, and errors in words."""

from __future__ import annotations

import argparse
import errno
import importlib
import os
import sys
from collections.abc import Sequence

from forklab import standard
from forklab.command.usage import INTERRUPTED, UserError
from forklab.lacking import NO_PROC, has_proc, lacks
from forklab.version import ShowVersion

_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
_COMMANDS = ("run", "outputs", "quiz", "tree", "services", "ctl", "doctor")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Answers its exit status: 0, or 1 for an error; exits with 2 where the words are wrong.

    `forklab run` exits as the program did, with 128 more than the number of a signal that killed it, and with 124 if
    the lens had to end it.
    """
    if not standard.prepare():
        print(
            "forklab: standard output is closed. Leave out '>&-', or give a file.", file=sys.stderr
        )
        return 1
    if not has_proc():
        print(f"forklab: {NO_PROC}.", file=sys.stderr)
        return 1
    try:
        status = _run(sys.argv[1:] if arguments is None else arguments)
        sys.stdout.flush()
    except UserError as error:
        print(f"forklab: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # `forklab tree | head`
        standard.close(sys.stdout.fileno())
        return 1
    except OSError as error:
        # A line of ours that can't be written has no file; what a command writes it has its own words for.
        if error.errno in _UNWRITABLE and error.filename is None:
            standard.close(sys.stdout.fileno())
            print(f"forklab: it can't be written: {error.strerror}.", file=sys.stderr)
        elif what := lacks(error):
            print(f"forklab: {what}.", file=sys.stderr)
        else:
            raise
        return 1
    except KeyboardInterrupt:
        print("forklab: You have pressed Ctrl-C.", file=sys.stderr)
        return INTERRUPTED
    return status


def _run(arguments: Sequence[str]) -> int:
    parser = _parser(arguments)
    parsed, unknown = parser.parse_known_args(arguments)
    if unknown:
        parser.exit(2, f"forklab: {_unknown(arguments[0], unknown[0])}\n")
    status: int = parsed.run(parsed)
    return status


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """Of the one subcommand that is wanted, if one is: what the others need is not loaded."""
    parser = argparse.ArgumentParser(
        prog="forklab", description="See what fork, wait and signals do to real processes."
    )
    if arguments and arguments[0] not in _COMMANDS and not arguments[0].startswith("-"):
        parser.exit(2, f"forklab: {_no_command(arguments[0])}\n")
    parser.add_argument(
        "--version", action=ShowVersion, nargs=0, help="say which forklab this is, and exit"
    )
    commands = parser.add_subparsers(metavar="COMMAND", dest="command", required=True)
    wanted = arguments[:1] if arguments and arguments[0] in _COMMANDS else _COMMANDS
    for name in wanted:
        subcommand = importlib.import_module(f"forklab.command.{name}")
        subcommand.add_parser(commands).set_defaults(run=subcommand.run)
    return parser


def _no_command(word: str) -> str:
    import difflib  # here, and below: whoever makes no mistake has no need of it
    import shutil

    close = difflib.get_close_matches(word, _COMMANDS, 1)
    if close:
        return f"There is no command {word}. Did you mean {close[0]}?"
    if os.path.exists(word) or shutil.which(word):
        return f"There is no command {word}. To run that program: forklab run {word}"
    return f"There is no command {word}. There is: {', '.join(_COMMANDS)}."


def _unknown(command: str, word: str) -> str:
    import difflib

    subcommand = importlib.import_module(f"forklab.command.{command}")
    parser = subcommand.add_parser(argparse.ArgumentParser().add_subparsers())
    option = word.partition("=")[0]
    close = difflib.get_close_matches(option, parser._option_string_actions, 1)
    hint = f"Did you mean {close[0]}?" if close else f"See: forklab {command} --help"
    return f"{command} does not know {word}. {hint}"


if __name__ == "__main__":
    sys.exit(main())
