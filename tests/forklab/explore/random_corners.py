"""Small C programs that nobody wrote, each of a kind of which something is known beforehand, as what it prints.

Equal processes, loops that wait for a signal or for a moment, outputs as books write them, and what cannot be explored:
a loop that computes, a PID namespace, a fork bomb.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import NamedTuple

_HEAD = """\
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile int done;
static void end(int number) { (void)number; done = 1; }
static void say(const char *text) { if (write(1, text, 2) < 0) _exit(9); }
static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}
static void nap(double seconds) {
    struct timespec time = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    nanosleep(&time, NULL);
}
static void tell(pid_t child) {
    int status;
    if (waitpid(child, &status, 0) == child) say(WIFSIGNALED(status) ? "k\\n" : "x\\n");
}

int main(void) {
"""


class Corner(NamedTuple):
    """A program, and what is known of it: all that it can print, or what a search has to say about it."""

    text: str
    outputs: tuple[str, ...] | None = None
    reason: str = ""


# By how much more processes there are after it.
_FORKS = {
    "fork();": 2,
    "for (int i = 0; i < 2; i++) fork();": 4,
    "if (fork()) fork();": 3,
    "if (fork() == 0) fork();": 3,
    "if (fork() && fork()) {}": 3,
    "if (fork() || fork()) {}": 3,
    "if ((fork() && fork()) || fork()) {}": 5,
    "while (fork()) if (done++) break;": 3,
}
_ENOUGH, _TOO_MANY = 9, 40  # processes


def equal_processes(chance: random.Random) -> Corner:
    """Many, and each prints the same in its end. There is one output."""
    count, lines = 1, []
    while count < _ENOUGH:
        line, times = chance.choice(list(_FORKS.items()))
        if count * times < _TOO_MANY and not ("done" in line and any("done" in x for x in lines)):
            lines.append(line)
            count *= times
    text = chance.choice(["hello", "16", "a b"])
    return Corner(_program([*lines, f'printf("{text}\\n");']), (f"{text}\n" * count,))


def loops(chance: random.Random) -> Corner:
    """A child that waits for a signal by a loop, and a parent that sends one. Free runs tell what it prints."""
    number = chance.choice(["SIGTERM", "SIGUSR1", "SIGKILL"])
    caught = chance.random() < 0.5 and number != "SIGKILL"
    loop = chance.choice(["while (!done) {}", "for (; !done;);", "do {} while (!done);"])
    before = [f"signal({number}, end);"] if caught else []
    life = [*_some(chance, 'say("a\\n");'), *before, *_some(chance, 'say("b\\n");'), loop]
    sent = [*_some(chance, "nap(0.03);"), *_some(chance, 'say("p\\n");'), f"kill(child, {number});"]
    return Corner(
        _program(
            [
                "pid_t child = fork();",
                "if (child == 0) {",
                *life,
                'say("c\\n");',
                "_exit(3);",
                "}",
                *sent,
                # Who was sent it before its handler is dead; who was sent it after, and waits, has ended its loop.
                "tell(child);",
            ]
        )
    )


def moments(chance: random.Random) -> Corner:
    """Each process says something at its moments, until which it sleeps or looks at the clock."""
    all_moments = chance.sample(range(1, 20), 6)
    lives = [sorted(all_moments[place::3]) for place in range(3)]
    said = {moment: f"{chr(ord('a') + place)}\\n" for place, moment in enumerate(all_moments)}

    def life(number: int) -> Iterator[str]:
        for moment in lives[number]:
            until = f"start + {moment} * 0.25"
            yield chance.choice(
                [
                    f"nap({until} - now());",
                    f"while (now() < {until}) {{}}",
                    f"while (now() < {until}) sched_yield();",
                    f"for (double late = {until}; now() < late;);",
                ]
            )
            yield f'say("{said[moment]}");'

    lines = ["double start = now();"]
    for number in (1, 2):
        lines += ["if (fork() == 0) {", *life(number), "_exit(0);", "}"]
    lines += [*life(0), "while (wait(NULL) > 0) {}"]
    order = "".join(said[moment] for moment in sorted(said)).replace("\\n", "\n")
    return Corner(_program(lines), (order,))


def words(chance: random.Random) -> Corner:
    """Processes that print pieces, which a book would write without anything between them."""
    pieces = chance.sample(["0", "1", "2", "10", "bc", "a", "ab", "c", "21", "hi"], 4)
    lines: list[str] = []
    for piece in pieces[:2]:
        lines += ["if (fork() == 0) {", f'printf("{piece}\\n");', "_exit(fflush(stdout));", "}"]
        lines += _some(chance, "wait(NULL);")
    lines += [f'printf("{piece}\\n");' for piece in pieces[2:]]
    return Corner(_program(lines))


def computes(chance: random.Random) -> Corner:
    """Somebody computes without an end, and never comes to stand where it stood."""
    loop = chance.choice(
        [
            "for (volatile long n = 0;; n++) {}",
            "volatile double x = 1; while (x != 0) x = x * 1.0000001 + 1;",
            "volatile unsigned n = 1; for (;;) n = n * 1664525 + 1013904223;",
        ]
    )
    reason = "computes for long without a call"
    if chance.random() < 0.4:
        return Corner(_program([loop]), reason=reason)
    ready = _some(chance, 'say("a\\n");')
    return Corner(_program([*ready, "if (fork() == 0) {", loop, "}", "wait(NULL);"]), reason=reason)


def namespaces(chance: random.Random) -> Corner:
    """Somebody makes a PID namespace, and somebody in it."""
    makes = chance.choice(
        [
            "if (unshare(CLONE_NEWPID)) return 7; pid_t child = fork();",
            "pid_t child = (pid_t)syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);",
            "if (unshare(CLONE_NEWPID | CLONE_NEWIPC)) return 7; pid_t child = fork();",
        ]
    )
    life = ["if (child == 0) {", 'printf("%d %d\\n", getpid(), getppid());']
    life += [*_some(chance, "if (fork() == 0) _exit(2);"), "exit(0);", "}", "wait(NULL);"]
    before = _some(chance, 'say("a\\n");')
    reason = "It makes a PID namespace of its own"
    return Corner(_program([*before, makes, *life]), reason=reason)


def bombs(chance: random.Random) -> Corner:
    """Everybody forks, without an end."""
    lines = chance.choice(
        [
            ["for (;;) fork();"],
            ["while (fork() >= 0) {}"],
            ['for (;;) if (fork() == 0) say("x\\n");'],
            ['say("a\\n");', "for (;;) if (fork() == 0) pause();"],
        ]
    )
    return Corner(_program(lines), reason="as a fork bomb has")


CORNERS: dict[str, Callable[[random.Random], Corner]] = {
    maker.__name__.replace("_", " "): maker
    for maker in (equal_processes, loops, moments, words, computes, namespaces, bombs)
}


def random_corner(kind: str, seed: int) -> Corner:
    """The same one for the same seed."""
    return CORNERS[kind](random.Random(seed))


def _some(chance: random.Random, line: str) -> list[str]:
    return [line] if chance.random() < 0.5 else []


def _program(lines: list[str]) -> str:
    return _HEAD + "".join(f"    {line}\n" for line in lines) + "    return 0;\n}\n"
