"""A keeper by itself, below the lens: there the seed says who goes on between any two of its system calls."""

from __future__ import annotations

import sys

import pytest

from forklab.lens.record import CannotTraceError, record
from forklab.services.keepers import keeper_program

# Each time a shell, its child, and SIGTERM for both. They die at once, if they hear it.
ROUNDS = 40
MANAGER = """
import os, select, sys
from pathlib import Path
from forklab.services.keepers import Keeper

missed = 0
nothing = os.open(os.devnull, os.O_RDWR)
for _ in range(int(sys.argv[2])):
    keeper = Keeper.start(Path(sys.argv[1]))
    ours, theirs = os.pipe()
    family = ["sh", "-c", "sleep 1000 & echo; wait"]
    place = ["/", "", "", "", "/bin/sh", str(len(family))]
    keeper.tell("run", "main", *place, *family, streams=[nothing, theirs, nothing])
    os.close(theirs)
    os.read(ours, 1)
    os.close(ours)
    keeper.tell("kill", "15", "everybody")
    told = []
    while told[:1] != ["empty"] and select.select([keeper.channel], [], [], 30)[0]:
        told = keeper.report()
    if told[:1] != ["empty"]:
        missed += 1
        keeper.tell("kill", "9", "everybody")
    keeper.channel.close()
    os.waitpid(keeper.pid, 0)
print(missed, "missed")
"""


def test_whoever_is_orphaned_while_a_signal_is_sent_gets_it_too() -> None:
    program = [sys.executable, "-c", MANAGER, str(keeper_program()), str(ROUNDS)]
    try:
        recording = record(program)
    except CannotTraceError as refusal:
        pytest.skip(str(refusal))
    assert recording.output == "0 missed\n"
