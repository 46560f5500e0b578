"""Five races that real inits have had: each is found each time, and none is found where it is mended."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from forklab.explore.hunt import Promise, all_of, exits, hunt, never_stuck, reaps_everybody
from forklab.lens.record import record

RACES = Path(__file__).parent / "races"
PROMISES: dict[str, Promise] = {
    "one_wait_per_sigchld": reaps_everybody,
    "check_then_pause": never_stuck,
    "bookkeeping_after_fork": exits(0),
    "handler_comes_late": exits(0),
    "mask_after_fork": all_of(never_stuck, reaps_everybody),
}


def built(name: str, folder: Path, *flags: str) -> str:
    target = folder / name
    command = ["cc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", *flags]
    subprocess.run([*command, "-o", str(target), str(RACES / f"{name}.c")], check=True)
    return str(target)


@pytest.mark.parametrize("name", PROMISES)
def test_a_race_is_found_and_its_schedule_shows_it_again(name: str, tmp_path: Path) -> None:
    program = built(name, tmp_path)
    found = hunt([program], PROMISES[name], subreaper=True)
    assert found.failing is not None
    assert found.verdict.startswith("Not in every schedule it ")
    again = record([program], schedule=found.failing.replay, subreaper=True)
    assert (again.status, again.output) == (found.failing.end.status, found.failing.output)
    assert bool(again.ended_early) == bool(found.failing.deadlock)


@pytest.mark.parametrize("name", PROMISES)
def test_no_race_is_found_where_it_is_mended(name: str, tmp_path: Path) -> None:
    program = built(name, tmp_path, "-DMENDED")
    found = hunt([program], PROMISES[name], subreaper=True)
    assert found.failing is None, found.verdict
    assert found.exploration.complete, found.exploration.reasons
    assert found.verdict.endswith("schedules: that is all of them.")


def test_what_was_not_explored_is_not_claimed(tmp_path: Path) -> None:
    program = built("check_then_pause", tmp_path, "-DMENDED")
    found = hunt([program], never_stuck, limit=5)
    assert found.failing is None
    assert "these may not be all: 5 states were reached" in found.verdict


def test_an_orphan_comes_to_the_program_that_acts_as_init(tmp_path: Path) -> None:
    """It reaps a grandchild that it has not forked, in every schedule."""
    source = tmp_path / "init.c"
    source.write_text(
        """
        #include <stdlib.h>
        #include <sys/wait.h>
        #include <unistd.h>
        int main(void) {
            if (fork() == 0) { if (fork() == 0) _exit(2); _exit(1); }
            int count = 0;
            while (wait(NULL) > 0) count++;
            return count;
        }
        """
    )
    subprocess.run(["cc", "-o", str(tmp_path / "init"), str(source)], check=True)
    found = hunt([str(tmp_path / "init")], exits(2), subreaper=True)
    assert found.failing is None and found.exploration.complete, found.verdict
    alone = hunt([str(tmp_path / "init")], exits(2))
    assert alone.failing is not None  # init adopts the orphan
