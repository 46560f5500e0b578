"""`forklab tree`: the processes of this machine right now."""

from __future__ import annotations

import argparse

from forklab.command.usage import Subcommands, UserError, whole_number, write_picture


def add_parser(commands: Subcommands) -> argparse.ArgumentParser:
    tree = commands.add_parser(
        "tree",
        help="the processes of this machine right now, zombies marked",
        description="Draws the processes as they stand right now; zombies are marked.",
    )
    tree.add_argument(
        "pid",
        metavar="PID",
        type=whole_number("a process number"),
        nargs="?",
        help="this process and all below it; default: all but the kernel's own threads",
    )
    tree.add_argument(
        "--svg",
        metavar="FILE",
        help="draw a picture into FILE, too; - is standard output, instead of text",
    )
    return tree


def run(parsed: argparse.Namespace) -> int:
    """Raises UserError."""
    from forklab.draw.trees.picture import tree_svg
    from forklab.draw.trees.text import tree_text
    from forklab.live import live_tree

    try:
        tree = live_tree(parsed.pid)
    except ProcessLookupError:
        raise UserError(
            f"there is no process {parsed.pid}. It may have ended; 'forklab tree' shows all that live."
        ) from None
    if parsed.svg != "-":
        print(tree_text(tree))
    if parsed.svg is not None:
        write_picture(parsed.svg, lambda: tree_svg(tree))
    return 0
