"""The `forklab` command."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from forklab.draw import tree_svg, tree_text
from forklab.live import live_tree


class UserError(Exception):
    """What the user has to be told; it ends the command with status 1."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Answers its exit status: 0, or 1 for trouble; argparse exits with 2."""
    parsed = _parser().parse_args(arguments)
    try:
        _tree(parsed.pid, parsed.svg)
        sys.stdout.flush()
    except UserError as trouble:
        print(f"forklab: {trouble}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # `forklab tree | head`
        # Python flushes once more at its end: let that go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="forklab", description="See what fork, wait and signals do to real processes."
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    tree = commands.add_parser(
        "tree",
        help="the processes of this machine right now, zombies marked",
        description="Draws the processes as they stand right now; zombies are marked.",
    )
    tree.add_argument(
        "pid",
        metavar="PID",
        type=_pid,
        nargs="?",
        help="this process and all below it; default: all but the kernel's own threads",
    )
    tree.add_argument(
        "--svg",
        metavar="FILE",
        help="draw a picture into FILE, too; - is standard output, instead of text",
    )
    return parser


def _pid(word: str) -> int:
    if not word.isdecimal() or int(word) == 0:
        raise argparse.ArgumentTypeError(f"{word!r} is not a process number")
    return int(word)


def _tree(pid: int | None, svg: str | None) -> None:
    try:
        tree = live_tree(pid)
    except ProcessLookupError:
        raise UserError(
            f"there is no process {pid}. It may have ended; 'forklab tree' shows all that live."
        ) from None
    if svg != "-":
        print(tree_text(tree))
    if svg is not None:
        try:
            picture = tree_svg(tree)
        except RuntimeError as error:  # Graphviz is missing, or fails; its words say what to do
            raise UserError(str(error)) from error
        _write(svg, picture)


def _write(name: str, text: str) -> None:
    if name == "-":
        sys.stdout.write(text)
        return
    try:
        Path(name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{name} can't be written: {error.strerror}") from error


if __name__ == "__main__":
    sys.exit(main())
