"""What nobody decides forbids "and no others"."""

from __future__ import annotations

import pytest
from programs import Runnable

from forklab.explore import explore

HEAD = """
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <unistd.h>
"""

ASKS = {
    "asks how much its children have used, in wait4": """
        struct rusage used;
        if (fork() == 0) return 0;
        wait4(-1, NULL, 0, &used);
        """,
    "asks how much it has used, in getrusage": "struct rusage used; getrusage(RUSAGE_SELF, &used);",
    "asks how much it has used, in times": "struct tms used; times(&used);",
    "asks for random numbers": "char byte; if (getrandom(&byte, 1, 0) < 0) return 1;",
    "reads /dev/urandom": 'char b; if (read(open("/dev/urandom", O_RDONLY), &b, 1) < 0) return 1;',
    "reads /proc/loadavg": 'char b; if (read(open("/proc/loadavg", O_RDONLY), &b, 1) < 0) return 1;',
}


@pytest.mark.parametrize("what", ASKS)
def test_what_nobody_decides_is_said(what: str, runnable: Runnable) -> None:
    found = explore(**runnable("c", f"{HEAD}\nint main(void) {{ {ASKS[what]} }}"))
    assert not found.complete
    assert found.reasons[0].startswith(f"P {what}, which nobody decides")


def test_libc_and_python_ask_at_their_start_for_what_they_never_show(runnable: Runnable) -> None:
    heap = "#include <stdlib.h>\nint main(void) { free(malloc(10)); }"
    assert explore(**runnable("c", heap)).complete
    assert explore(**runnable("python", "print('a')")).complete


def test_who_asks_as_python_does_from_3_13_on_shows_nothing_of_it(runnable: Runnable) -> None:
    """mimalloc is in each Python then: it asks for 32 bytes, and does not wait for them. Who would wait, uses them."""
    asks = "import os\nos.getrandom(32, FLAGS)\n"
    assert explore(**runnable("python", asks.replace("FLAGS", "os.GRND_NONBLOCK"))).complete
    assert not explore(**runnable("python", asks.replace("FLAGS", "0"))).complete
