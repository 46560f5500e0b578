"""Nobody under the lens sets the machine's clock.

Never at any risk: all of this runs in a user namespace, whose root may not set it, whatever the lens lets through.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable

import pytest

pytestmark = pytest.mark.usefixtures("pid_namespaces")

PROGRAM = """
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>
static void say(const char *call, int result) {
    printf("%s: %s, %ld\\n", call, result < 0 ? strerror(errno) : "set", (long)time(NULL));
}
int main(void) {
    struct timespec moment = {86400, 0}, wrong = {1, -1};
    struct timeval day = {172800, 0};
    struct timex change = {.modes = ADJ_SETOFFSET, .time = {1000, 0}}, asks = {.modes = 0};
    say("clock_settime", clock_settime(CLOCK_REALTIME, &moment));
    sleep(10);
    say("sleep", 0);
    say("settimeofday", settimeofday(&day, NULL));
    say("monotonic", clock_settime(CLOCK_MONOTONIC, &moment));
    say("wrong", clock_settime(CLOCK_REALTIME, &wrong));
    say("adjtimex", adjtimex(&change));
    say("asks", adjtimex(&asks) < 0 ? -1 : 0);
}
"""
LENS = """
import sys
from forklab.lens.record import record
print(record(sys.argv[2:], real_time=sys.argv[1] == "real").output, end="")
"""


def seen(program: str, time: str) -> list[str]:
    command = ["unshare", "--user", "--map-root-user", sys.executable, "-c", LENS, time, program]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def test_it_sets_the_clock_of_its_own_world(compiled: Callable[[str], str]) -> None:
    assert seen(compiled(PROGRAM), "virtual") == [
        "clock_settime: set, 86400",
        "sleep: set, 86410",
        "settimeofday: set, 172800",
        "monotonic: Invalid argument, 172800",
        "wrong: Invalid argument, 172800",
        "adjtimex: Operation not permitted, 172800",
        "asks: set, 172800",
    ]


def test_in_real_time_it_is_refused(compiled: Callable[[str], str]) -> None:
    lines = seen(compiled(PROGRAM.replace("sleep(10)", "sleep(0)")), "real")
    refused = [line.split(",")[0] for line in lines]
    assert refused == [
        "clock_settime: Operation not permitted",
        "sleep: set",
        "settimeofday: Operation not permitted",
        "monotonic: Operation not permitted",
        "wrong: Invalid argument",  # libc says so, before it asks
        "adjtimex: Operation not permitted",
        "asks: set",
    ]
    assert all(abs(int(line.rpartition(" ")[2]) - time.time()) < 3600 for line in lines)
