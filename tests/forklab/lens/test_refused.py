"""Containers refuse pidfd_getfd(2) and kcmp(2) to who may not trace everybody: the answers are the same there.

The very tests of what needs them run once more, with a filter that refuses both as Docker's does.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from refusing import below

FOLDER = Path(__file__).parents[1]
CALLS = frozenset({"pidfd_getfd", "kcmp"})
WAITS = "lens/test_limits.py::test_it_waits_as_without_the_lens"
RINGS = "lens/test_timers.py::test_it_rings_as_without_the_lens"
TOLD = "lens/test_transparent.py::test_it_is_told_the_same"
CHANNELS = "explore/test_channels.py::test_of"
ONCE_MORE = (
    f"{WAITS}[SO_RCVTIMEO is told, changed and refused as it was]",
    f"{WAITS}[accept and connect]",
    f"{RINGS}[a timer that is a file: none yet, whole counts, a moment that has passed]",
    f"{TOLD}[a timer that is a file: how often it has rung, who waits for it, and by which clock]",
    f"{CHANNELS}_eventfds[nor does it wait after O_NONBLOCK was set by another one]",
    f"{CHANNELS}_socketpairs[who is shut out hears the end, and says nothing more]",
    f"{CHANNELS}_fifos[nobody reads any more]",
    f"{CHANNELS}_polls[a signal that it lets in only while it waits]",
    f"{CHANNELS}_epoll[once, if that is wanted]",
)


def test_what_is_borrowed_elsewhere_is_handed_over() -> None:
    tests = [f"{FOLDER}/{test}" for test in ONCE_MORE]
    done = below(CALLS, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests)
    assert done.returncode == 0, done.stdout + done.stderr


HEAD = """\
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <unistd.h>
static void limit(int socket) {
    struct timeval limit = {0, 20000};
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}
static void handler(int number) { (void)number; write(1, "handler\\n", 8); }
"""


def test_who_hands_over_does_not_notice(compiled: Callable[[str], str]) -> None:
    """Not in its descriptors, nor in its memory below the stack, nor in its mask; a signal goes on waiting."""
    program = compiled(HEAD + """
int main(void) {
    int pair[2];
    sigset_t both, now;
    signal(SIGUSR1, handler);
    sigemptyset(&both);
    sigaddset(&both, SIGUSR1);
    sigaddset(&both, SIGUSR2);
    sigprocmask(SIG_BLOCK, &both, NULL);
    raise(SIGUSR1);
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    limit(pair[0]);
    int first = recv(pair[0], &now, 1, 0), error = errno, next = dup(0);
    sigprocmask(SIG_UNBLOCK, &both, &now);
    printf("%d %d %d %d\\n", first, error == EAGAIN, next == pair[1] + 1, !memcmp(&both, &now, 8));
}
""")  # fmt: skip
    done = below(CALLS, sys.executable, "-m", "forklab.command.main", "run", "--", program)
    assert done.stdout == "handler\n-1 1 1 1\n", done.stderr
    assert "real time" not in done.stderr


WITHOUT = {
    "a descriptor to spare": """
    struct rlimit none = {pair[1] + 1, pair[1] + 1};
    setrlimit(RLIMIT_NOFILE, &none);""",
    "a filter of its own that lets it live": """
    struct sock_filter kills[] = {
        {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr)},
        {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_sendmsg},
        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_KILL_PROCESS},
        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
    };
    struct sock_fprog filter = {4, kills};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);""",
}


@pytest.mark.parametrize("what", WITHOUT)
def test_who_cannot_hand_over_is_left_to_the_kernel(
    what: str, compiled: Callable[[str], str]
) -> None:
    """That is said, and nothing else changes."""
    program = compiled(f"""{HEAD}
int main(void) {{
    int pair[2];
    char content;
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    {WITHOUT[what]}
    limit(pair[0]);
    int result = recv(pair[0], &content, 1, 0);
    printf("%d %d\\n", result, errno == EAGAIN);
}}
""")
    run = (sys.executable, "-m", "forklab.command.main", "run", "--json", "/dev/stderr", "--")
    done = below(CALLS, *run, program)
    assert done.stdout == "-1 1\n", done.stderr
    assert "it uses time limits of sockets that run in real time" in done.stderr
