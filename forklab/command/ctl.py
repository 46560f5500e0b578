"""`forklab ctl`: the same as `ctl`, which is installed beside it."""

from __future__ import annotations

import argparse

from forklab.command.usage import Subcommands


def add_parser(commands: Subcommands) -> argparse.ArgumentParser:
    # All words behind it are `ctl`'s own, also those that begin with a minus.
    ctl = commands.add_parser(
        "ctl",
        help="talk to a service manager: status, start, stop ...; also installed as 'ctl'",
        add_help=False,
        prefix_chars="\0",
    )
    ctl.add_argument("words", nargs="*")
    return ctl


def run(parsed: argparse.Namespace) -> int:
    from forklab.ctl.main import main

    return main(parsed.words)
