"""The `forklab` command: its subcommands, its exit statuses, and errors in words."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from forklab.command.usage import UserError

_COMMANDS = ("run", "outputs", "quiz", "tree")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Answers its exit status: 0, or 1 for an error; argparse exits with 2.

    `forklab run` exits as the program did, with 128 more than the number of a signal that killed it, and with 124 if
    the lens had to end it.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    parsed = _parser(arguments).parse_args(arguments)
    try:
        status: int = parsed.run(parsed)
        sys.stdout.flush()
    except UserError as error:
        print(f"forklab: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # `forklab tree | head`
        # Python flushes once more at its end: let that go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
    return status


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """Of the one subcommand that is wanted, if one is: what the others need is not loaded."""
    parser = argparse.ArgumentParser(
        prog="forklab", description="See what fork, wait and signals do to real processes."
    )
    commands = parser.add_subparsers(metavar="COMMAND", dest="command", required=True)
    wanted = arguments[:1] if arguments and arguments[0] in _COMMANDS else _COMMANDS
    for name in wanted:
        subcommand = importlib.import_module(f"forklab.command.{name}")
        subcommand.add_parser(commands).set_defaults(run=subcommand.run)
    return parser


if __name__ == "__main__":
    sys.exit(main())
