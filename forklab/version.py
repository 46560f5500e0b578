"""Which forklab this is."""

from __future__ import annotations

import argparse


def version() -> str:
    """As it is installed."""
    from importlib import metadata  # here: loading it takes as long as many a command

    try:
        return metadata.version("forklab")
    except metadata.PackageNotFoundError:
        return "(not installed)"


class ShowVersion(argparse.Action):
    """`--version`."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        print(parser.prog, version())
        parser.exit()
