"""Where a program stops: too few stops are found out late, by an alarm, too many cost time."""

from __future__ import annotations

import random
from pathlib import Path

from forklab.kernel.calls import CALLS, Concern
from forklab.lens.loop.seeded import Seeded
from forklab.lens.record import record
from forklab.source import program_of


def test_who_falls_asleep_is_seen_at_once_in_all_calls_but_a_few() -> None:
    """fork(2) waits for a vfork's child alone, open(2) at a FIFO; and programs open files all the time."""
    wait = {name for name, call in CALLS.items() if Concern.WAITS in call.concerns}
    unseen = wait - Seeded(random.Random(0)).stops.names
    assert {CALLS[name].group or name for name in unseen} == {"fork", "open", "ioctl", "getrandom"}


def test_the_call_that_somebody_waits_in_is_the_kernels_word(tmp_path: Path) -> None:
    """Also where it is not the one at which the program stopped last."""
    text = f"""
        #include <fcntl.h>
        #include <sys/stat.h>
        #include <unistd.h>
        int main(void) {{
            if (mkfifo("{tmp_path}/fifo", 0600)) return 1;
            usleep(1000);
            return open("{tmp_path}/fifo", O_RDONLY);
        }}
    """
    with program_of("c", text) as program:
        seen = record(program.argv, program=program.path)
    assert seen.ended_early is not None
    assert seen.ended_early.endswith("nobody will ever wake them: P is in openat.")
