"""Root in a container judges though it may not trace other users' processes, as in Docker, or may not become them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

SOLUTION = Path(__file__).parents[3] / "labs/init/solution/c"
# Who may measure performance, as who administers may, is shown the memory of others.
TO_TRACE = ("sys_ptrace", "perfmon", "sys_admin")
pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("setpriv") is None, reason="needs root and setpriv"
)

# Forty processes share 20 MB that nobody counts forty times, and stay there for the judge to count.
SHARING = r"""
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int count, char **arguments) {
    (void)count;
    enum { SIZE = 20 << 20 };
    memset(mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 1, SIZE);
    for (int i = 0; i < 40; i++)
        if (fork() == 0) {
            usleep(300000);
            _exit(0);
        }
    while (wait(NULL) > 0) {
    }
    execv(arguments[1], arguments + 1);
}
"""


def without(rights: Sequence[str], *command: str) -> str:
    """What a Python that root has started without these capabilities prints."""
    bounding = ",".join(f"-{right}" for right in rights)
    return subprocess.run(
        ["setpriv", f"--bounding-set={bounding}", "--inh-caps=-all", sys.executable, *command],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    ).stdout


def checked(submission: Path, mode: str, *scenarios: str, rights: Sequence[str] = TO_TRACE) -> str:
    names = [word for scenario in scenarios for word in ("--scenario", scenario)]
    command = ["-m", "autograder.command.cli", "check", "init", str(submission), *names]
    return without(rights, *command, "--mode", mode)


def test_it_knows_who_the_actors_are_what_init_does_and_how_orphans_ended(mode: str) -> None:
    told = checked(SOLUTION, mode, "01_as_long_as_main", "07_killed_orphans")
    assert "2 passed" in told


def test_it_sees_what_the_command_has_inherited(mode: str) -> None:
    told = checked(SOLUTION, mode, "50_starts_clean", "51_terminal", "66_surroundings")
    assert "3 passed" in told


def test_it_counts_memory_that_processes_share_once(mode: str, tmp_path: Path) -> None:
    (tmp_path / "init.c").write_text(SHARING)
    told = checked(tmp_path, mode, "01_as_long_as_main")
    assert "init" in told
    assert "memory" not in told.partition("01_as_long_as_main")[2]


@pytest.mark.parametrize("right", ["chown", "kill", "setgid", "setuid"])
def test_who_may_not_become_others_has_no_other_users(right: str) -> None:
    asked = "from autograder.stage.users import private_user; print(private_user())"
    assert without([right], "-c", asked) == "None\n"


def test_it_judges_as_itself_where_it_may_not_become_others(mode: str) -> None:
    told = checked(SOLUTION, mode, "01_as_long_as_main", "50_starts_clean", rights=["setuid"])
    assert "2 passed" in told
