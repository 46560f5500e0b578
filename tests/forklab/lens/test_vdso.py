"""Programs read the world's clock by themselves, and what they read is what we would have said."""

from __future__ import annotations

import platform
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from forklab.lens.edge import vdso_image
from forklab.lens.record import record

pytestmark = [
    pytest.mark.usefixtures("pid_namespaces"),
    pytest.mark.skipif(platform.machine() != "x86_64", reason="the vDSO of ours is for x86-64"),
]

READS = """
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
static long stops(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return used.ru_nvcsw;
}
static long long now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec - 1000000000000LL;
}
static long long asked(void) {
    struct timespec t;
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec - 1000000000000LL;
}
"""


def seen(program: str, *arguments: str) -> str:
    recording = record([program, *arguments])
    assert recording.ended_early is None
    return recording.output


@pytest.mark.skipif(shutil.which("as") is None, reason="no assembler")
def test_the_bytes_are_those_of_the_listing(tmp_path: Path) -> None:
    lines = vdso_image.LISTING.splitlines()
    labels = [":" in line.partition(" ")[0] for line in lines]
    source = [line if label else line[32:] for line, label in zip(lines, labels, strict=True)]
    code = [line[:32] for line, label in zip(lines, labels, strict=True) if not label]
    made = tmp_path / "made.o"
    command = ["as", "-o", str(made), "-"]
    subprocess.run(command, input="\n".join(source) + "\n", text=True, check=True)
    assert bytes.fromhex("".join(code)) in made.read_bytes()


ALL_CLOCKS = (
    READS
    + r"""
static void compare(const char *who) {
    for (int clock = -2; clock < 14; clock++) {
        if (clock == -2 || clock == 2 || clock == 3) continue;  /* of processor time */
        struct timespec a = {7, 7}, b = {7, 7};
        int first = clock_gettime(clock, &a), second = syscall(SYS_clock_gettime, clock, &b) ? -1 : 0;
        if (first != second || a.tv_sec != b.tv_sec || a.tv_nsec != b.tv_nsec)
            printf("%s: clock %d is another\n", who, clock);
    }
    struct timeval c, d;
    gettimeofday(&c, NULL);
    syscall(SYS_gettimeofday, &d, NULL);
    time_t e, f = syscall(SYS_time, NULL), g = time(&e);
    if (c.tv_sec != d.tv_sec || c.tv_usec != d.tv_usec || e != f || g != f) printf("%s: ... of day\n", who);
    printf("%s: %lld.%06d\n", who, (long long)c.tv_sec, (int)c.tv_usec);
    fflush(stdout);
}
static void *thread(void *name) { compare(name); usleep(300); compare(name); return 0; }
int main(int count, char **words) {
    if (count > 1) { compare("after an exec"); return 0; }
    compare("first");
    usleep(1234567);
    compare("after a sleep");
    if (fork() == 0) { compare("child"); usleep(5); compare("child"); _exit(0); }
    usleep(3);
    compare("parent");
    wait(0);
    compare("parent");
    struct timespec moment = {86400, 0};
    if (clock_settime(CLOCK_REALTIME, &moment) == 0) compare("set");
    moment.tv_sec = 1893488401;
    clock_settime(CLOCK_REALTIME, &moment);
    char *again[] = {words[0], "again", NULL};
    pid_t spawned;
    posix_spawn(&spawned, words[0], NULL, NULL, again, NULL);
    wait(0);
    usleep(1);
    compare("who has spawned");
    if (vfork() == 0) { struct timespec t = {0, 70}; nanosleep(&t, 0); now(); _exit(0); }
    compare("after a vfork");
    pthread_t other;
    pthread_create(&other, 0, thread, "thread");
    usleep(100);
    compare("beside a thread");
    pthread_join(other, 0);
    compare("at the end");
    execv(words[0], again);
}
"""
)


def test_all_clocks_show_what_the_system_call_tells(compiled: Callable[[str], str]) -> None:
    """Everywhere: in children, in spawned programs, in threads, and after the time has been set."""
    assert seen(compiled(ALL_CLOCKS)).splitlines() == [
        "first: 1893488400.000000",
        "after a sleep: 1893488401.234567",
        "child: 1893488401.234567",
        "parent: 1893488401.234570",
        "child: 1893488401.234572",
        "parent: 1893488401.234572",
        "set: 86400.000000",
        "after an exec: 1893488401.000000",
        "who has spawned: 1893488401.000001",
        "after a vfork: 1893488401.000001",
        "thread: 1893488401.000001",
        "beside a thread: 1893488401.000101",
        "thread: 1893488401.000301",
        "at the end: 1893488401.000301",
        "after an exec: 1893488401.000301",
    ]


WITHOUT_A_STOP = (
    READS
    + r"""
int main(void) {
    long before = stops();
    for (int i = 0; i < 400; i++) now();
    long after = stops();
    printf("%ld\n", after - before);
    for (int i = 0; i < 400; i++) { now(); getppid(); }
    printf("%s\n", stops() - after < 10 ? "few" : "many");
    before = stops();
    for (int i = 0; i < 50000; i++) now();
    printf("%s\n", stops() - before < 1000 ? "few" : "many");
}
"""
)


def test_most_readings_are_no_stops(compiled: Callable[[str], str]) -> None:
    """A stop is a voluntary context switch."""
    assert seen(compiled(WITHOUT_A_STOP)) == "0\nfew\nfew\n"


WATCHES = (
    READS
    + r"""
int main(void) {
    int still = 0;
    while (READ() == 0) still++;
    unsigned long long all = 0;
    for (int i = 0; i < 1000; i++) all = all * 31 + READ();
    while (READ() < 2000000000) ;
    printf("%d %llu %lld %lld\n", still, all, asked(), READ());
}
"""
)


def test_time_moves_for_who_does_nothing_else_as_it_does_by_system_calls(
    compiled: Callable[[str], str],
) -> None:
    by_itself = seen(compiled(WATCHES.replace("READ", "now")))
    assert by_itself == seen(compiled(WATCHES.replace("READ", "asked")))
    assert 500 <= int(by_itself.split()[0]) <= 1000


BUSY = (
    READS
    + r"""
static void busy_until(long long seconds) { while (now() < seconds * 1000000000) ; }
static void ends(void) { busy_until(3); _exit(0); }
static void executes(char *program) { busy_until(4); execl(program, program, "again", NULL); }
static void forks(void) { busy_until(5); if (fork() == 0) _exit(0); wait(0); _exit(0); }
static void spawns(void) { busy_until(6); if (vfork() == 0) _exit(0); _exit(0); }
static void crashes(void) { busy_until(7); *(volatile int *)0 = 1; }
int main(int count, char **words) {
    if (count > 1) return 0;
    for (int i = 0; i < 5; i++) {
        if (fork() == 0) switch (i) {
            case 0: ends();
            case 1: executes(words[0]);
            case 2: forks();
            case 3: spawns();
            case 4: crashes();
        }
        wait(0);
        printf("%lld %s\n", now() / 100000000, now() < (i + 3) * 1000000000LL ? "before" : "after");
    }
}
"""
)


def test_time_that_has_passed_for_one_has_passed_for_all(compiled: Callable[[str], str]) -> None:
    """However it stops looking at the clock."""
    lines = seen(compiled(BUSY)).split("\n")[:-1]
    assert lines == ["30 after", "40 after", "50 after", "60 after", "70 after"]


TAKE_TURNS = (
    READS
    + r"""
int main(void) {
    for (int i = 1; i <= 2; i++)
        if (fork() == 0) {
            while (now() < i * 1000000) ;
            printf("%d at %lld\n", i, now());
            return 0;
        }
    while (wait(0) > 0) ;
    sleep(1);
    printf("%lld\n", now() / 1000000);
}
"""
)


def test_who_waits_by_looking_at_the_clock_lets_others_come(compiled: Callable[[str], str]) -> None:
    program = compiled(TAKE_TURNS)
    found = [record([program], seed=seed) for seed in (0, 0, 1, 1)]
    assert found[0] == found[1] and found[2] == found[3]
    assert all([line[0] for line in f.output.splitlines()] == ["1", "2", "1"] for f in found)


UNWINDS = (
    READS
    + r"""
#include <execinfo.h>
#include <signal.h>
static volatile int found;
static void end_of_watch(void);
static __attribute__((noinline)) void watch(void) { while (!found) now(); }
static __attribute__((noinline)) void end_of_watch(void) { found = 2; }
static void ring(int number) {
    void *frames[50];
    for (int i = backtrace(frames, 50); i > 0; i--)
        if (frames[i - 1] > (void *)watch && frames[i - 1] < (void *)end_of_watch) found = 1;
    if (!found) end_of_watch();
}
int main(void) {
    signal(SIGALRM, ring);
    alarm(1);
    watch();
    puts(found == 1 ? "found" : "lost");
}
"""
)


def test_who_looks_for_its_callers_finds_them(compiled: Callable[[str], str]) -> None:
    """A signal comes in the middle of the functions of ours."""
    assert seen(compiled(UNWINDS)) == "found\n"


COMPUTES = (
    READS
    + r"""
int main(void) {
    volatile long long x = 0;
    int child = fork() == 0;
    for (int i = 0; i < 15; i++) {
        for (long j = 0; j < 20000000; j++) x += j;
        now();
    }
    puts(child ? "child" : "parent");
}
"""
)


def test_who_looks_at_the_clock_while_it_computes_is_heard_of(
    compiled: Callable[[str], str],
) -> None:
    """Long after its last stop others would be let go beside it, and chance would come in."""
    recording = record([compiled(COMPUTES)])
    assert recording.reproducible, recording.reasons
