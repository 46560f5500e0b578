"""The cell magic `%%units`: unit files in a cell, run by the service manager in virtual time."""

from __future__ import annotations

import time

import pytest
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from forklab.notebook.units import graph, run_units, timeline

TWO = """
# web.service
[Unit]
Requires=disk.service
After=disk.service

[Service]
ExecStart=/bin/sleep 1000

# disk.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sleep 300
"""


def test_services_run_in_virtual_time_and_the_journal_is_the_same_again() -> None:
    before = time.monotonic()
    first, again = (run_units("web.service --for 500", TWO) for _ in range(2))
    assert time.monotonic() - before < 300
    assert (first.active("disk.service"), first.active("web.service")) == (300, 300)
    assert first.output.startswith("  0.0  Starting disk.service...\n300.0  Finished disk.service.")
    assert "500.0  Stopped web.service.\n500.0  Stopping disk.service..." in first.output
    assert first.output == again.output
    assert first._repr_mimebundle_() == again._repr_mimebundle_()
    assert first.history.process("disk").parent == "disk's keeper"
    assert graph(first).words.splitlines() == [
        "disk.service: active",
        "web.service: active",
        "web.service: After=disk.service",
        "web.service: Requires=disk.service",
    ]
    assert timeline(first).words.splitlines() == [
        "disk.service: activating from 0.0 s, active from 300.0 s",
        "web.service: active from 300.0 s",
    ]


@pytest.mark.parametrize(
    ("line", "cell", "words"),
    [
        ("web.service", "[Service]\nExecStart=/bin/true\n", "begins with its name: # web.service"),
        ("web.service", "", "begins with its name: # web.service"),
        ("", TWO, "Begin the cell with %%units UNIT..."),
        ("web.service --fro 3", TWO, "%%units knows no --fro 3.\nBegin the cell with"),
        ("web.service --for long", TWO, "Begin the cell with"),
        ("web.service --for -1", TWO, "--for wants seconds, more than 0"),
        ("web.service", "# a/b.service\n[Service]\nExecStart=/bin/true\n", "is no name of a unit"),
    ],
)
def test_a_cell_that_is_not_understood_is_told_how_to_begin(
    line: str, cell: str, words: str
) -> None:
    with pytest.raises(UsageError) as refused:
        run_units(line, cell)
    assert words in str(refused.value)


def test_nothing_is_known_of_the_units_before_once_others_are_asked_for(
    shell: InteractiveShell,
) -> None:
    shell.run_cell("from forklab.notebook import *").raise_error()
    shell.push({"seen": "old", "output": "old"})
    with capture_output() as captured:
        shell.run_cell("%%units\n[Service]")
        shell.run_cell("unit_graph()")
    assert "No units have run" in captured.stdout + captured.stderr
    with pytest.raises(UsageError, match="No program has run"):
        len(shell.user_ns["output"])
