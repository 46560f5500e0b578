"""Small C programs that nobody wrote: forks, waits, signals, masks, handlers, a pipe, sleeps, in any order."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

_HEAD = """\
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int ends[2];
static pid_t child;

static void say(const char *text) { if (write(1, text, 2) < 0) _exit(9); }
static void greet(int number) { (void)number; say("h\\n"); }
static void reap(int number) { (void)number; say(waitpid(-1, 0, WNOHANG) > 0 ? "r\\n" : "n\\n"); }
static void mask(int how, int number) {
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, number);
    sigprocmask(how, &one, 0);
}
static void rest(int seconds) {
    struct timespec time = {seconds, 0};
    nanosleep(&time, 0);
}
static void wait_for_one(void) {
    int status;
    if (wait(&status) > 0) say(WIFEXITED(status) ? "w\\n" : "k\\n");
}
static void hear(void) {
    char heard[2];
    say(read(ends[0], heard, 2) > 0 ? "x\\n" : "e\\n");
}

int main(void) {
    if (pipe(ends)) return 8;
    alarm(9);
"""
_MOST_FORKS = 2


@dataclass
class _Author:
    """Writes one program. `depth` is 0 in the first process, 1 in its children."""

    chance: random.Random
    forks: int = 0

    def __post_init__(self) -> None:
        self.letters = (f"{chr(ord('A') + number % 26)}\\n" for number in count())

    def program(self) -> str:
        life = [*self.fork(0), *self.block(0, self.chance.randint(2, 5))]
        return _HEAD + "".join(f"    {line}\n" for line in life) + "}\n"

    def block(self, depth: int, length: int) -> Iterator[str]:
        anything = [self.say, self.fork, self.wait, self.kill, self.dispose, self.pipe, self.rest]
        for _ in range(length):
            yield from self.chance.choice(anything)(depth)

    def one_of(self, *lines: str) -> Iterator[str]:
        yield self.chance.choice(lines)

    def say(self, _: int) -> Iterator[str]:
        yield f'say("{next(self.letters)}");'

    def fork(self, depth: int) -> Iterator[str]:
        if depth > 1 or self.forks == _MOST_FORKS:
            return self.say(depth)
        self.forks += 1
        status = self.chance.randint(0, 3)
        life = self.block(depth + 1, self.chance.randint(1, 3))
        return iter(["if ((child = fork()) == 0) {", *life, f"_exit({status});", "}"])

    def wait(self, _: int) -> Iterator[str]:
        return self.one_of(
            "wait_for_one();", "wait_for_one();", 'if (waitpid(-1, 0, WNOHANG) > 0) say("y\\n");'
        )

    def kill(self, depth: int) -> Iterator[str]:
        name = self.chance.choice(["USR1", "USR1", "TERM", "KILL", "STOP", "CONT"])
        if depth and name not in ("KILL", "STOP"):
            return self.one_of(f"kill(getppid(), SIG{name});", f"raise(SIG{name});")
        return iter([f"if (child > 0) kill(child, SIG{name});"])

    def dispose(self, _: int) -> Iterator[str]:
        how = self.chance.choice(["BLOCK", "UNBLOCK"])
        name = self.chance.choice(["USR1", "CHLD"])
        handler = self.chance.choice(["SIG_IGN", "greet" if name == "USR1" else "reap"])
        return self.one_of(f"signal(SIG{name}, {handler});", f"mask(SIG_{how}, SIG{name});")

    def pipe(self, _: int) -> Iterator[str]:
        tell = 'if (write(ends[1], "x\\n", 2) < 0) say("b\\n");'
        return self.one_of("hear();", tell, "close(ends[0]);", "close(ends[1]);")

    def rest(self, depth: int) -> Iterator[str]:
        whose = ['say(getppid() > 1 ? "p\\n" : "1\\n");'] if depth else []
        return self.one_of("rest(1);", "rest(2);", "pause();", *whose)


def random_program(seed: int) -> str:
    """The same text for the same seed."""
    return _Author(random.Random(seed)).program()
