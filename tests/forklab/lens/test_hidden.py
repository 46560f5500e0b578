"""A process may hide its memory from a lens without the capability to see it all the same: that is said."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable

import pytest

from forklab.lens.world.surroundings import HIDDEN

HIDES = """
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
int main(void) {
    prctl(PR_SET_DUMPABLE, 0);
    if (fork() == 0) {
        puts("unheard");
        return 0;
    }
    wait(NULL);
}
"""


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv is not installed")
@pytest.mark.parametrize("command", ["run", "outputs"])
def test_who_hides_its_memory_is_not_taken_for_silent(
    command: str, compiled: Callable[[str], str]
) -> None:
    words = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", sys.executable, "-m"]
    words += ["forklab.command.main", command, compiled(HIDES)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if "unheard" in done.stdout:
        pytest.skip("here the lens has a namespace in which it sees everybody's memory")
    assert HIDDEN in done.stdout + done.stderr
