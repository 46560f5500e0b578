"""What nobody decides forbids "and no others": what is asked for, and what merely differs from run to run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from programs import Runnable

from forklab.explore import Exploration, explore
from forklab.steps.chance import Kind

pytestmark = pytest.mark.usefixtures("pid_namespaces", "folder")

HEAD = """
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/msg.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
static struct stat found, other;
static void make(const char *name) { close(open(name, O_CREAT | O_RDWR, 0600)); }
static void heard(int number) { (void)number; }
static void show(long number) { printf("%ld\\n", number); }
"""

ASKS = {
    "asks how much its children have used, in wait4": """
        struct rusage used;
        if (fork() == 0) return 0;
        wait4(-1, NULL, 0, &used);
        """,
    "asks how much it has used, in getrusage": "struct rusage used; getrusage(RUSAGE_SELF, &used);",
    "asks how much it has used, in times": "struct tms used; times(&used);",
    "asks how much processor time it has used": "show(clock());",
    "asks for random numbers": "char byte; if (getrandom(&byte, 1, 0) < 0) return 1;",
    "reads /dev/urandom": 'char b; if (read(open("/dev/urandom", O_RDONLY), &b, 1) < 0) return 1;',
    "reads /proc/loadavg": 'char b; if (read(open("/proc/loadavg", O_RDONLY), &b, 1) < 0) return 1;',
    "reads /proc/sys/kernel/random/uuid": """
        char byte;
        if (read(open("/proc/sys/kernel/random/uuid", O_RDONLY), &byte, 1) < 0) return 1;
        """,
    "reads /proc/1000/maps": """
        char byte;
        if (read(open("/proc/self/maps", O_RDONLY), &byte, 1) < 0) return 1;
        """,
    "asks for the number of something without a name, in /proc": """
        int ends[2];
        char name[40], text[40];
        if (pipe(ends) < 0) return 1;
        snprintf(name, sizeof name, "/proc/self/fd/%d", ends[0]);
        if (readlink(name, text, sizeof text) < 0) return 1;
        """,
    "asks, by prctl, for what has another answer": "show(prctl(PR_GET_SECCOMP));",
}
# As libc and Python draw at their start, but into a variable of the program's own.
DRAWS = [
    f"static char drawn[3000]; if (getrandom({where}, {size}, GRND_NONBLOCK) < 0) return 1;"
    for size in (8, 24, 2496)
    for where in ("drawn", "strcpy((char[3000]){0}, drawn)")
]

DEPENDS: dict[Kind, dict[str, str]] = {
    Kind.ADDRESSES: {
        "an address in words": 'printf("%p\\n", (void *)&found);',
        "a bit of an address of its stack": "int here; show((unsigned long)&here >> 14 & 1);",
        "a bit of an address of its heap": "show((unsigned long)malloc(3) >> 13 & 1);",
        "whether addresses differ": "show(personality(0xffffffff));",
        "random bytes from its start": "show(((char *)getauxval(AT_RANDOM))[3] & 1);",
    },
    Kind.NUMBERS: {
        "whether its pid is odd": "show(getpid() % 2);",
        "whether a child's pid is odd": """
            pid_t child = fork();
            if (child == 0) return 0;
            wait(NULL);
            show(child % 2);
            """,
        "random numbers from a pid": "srand(getpid()); show(rand() % 2);",
        "whether its parent is init": "show(getppid() == 1);",
        "who was born first": """
            int ends[2];
            pid_t nephew, last;
            if (pipe(ends) < 0) return 1;
            if (fork() == 0) {
                nephew = fork();
                return nephew && write(ends[1], &nephew, sizeof nephew) < 0;
            }
            if ((last = fork()) == 0) return 0;
            while (wait(NULL) > 0) {}
            if (read(ends[0], &nephew, sizeof nephew) < 0) return 1;
            show(nephew < last);
            """,
        "who sleeps": """
            if (fork() == 0) { if (getpid() % 2 == 0) sleep(1); puts("a"); return 0; }
            sleep(2);
            puts("b");
            wait(NULL);
            """,
        "a message queue's number": "show(msgget(IPC_PRIVATE, 0600));",
        "a semaphore's number": "show(semget(IPC_PRIVATE, 1, 0600));",
    },
    Kind.TIME: {
        "what time it is": "time_t now = time(NULL); puts(ctime(&now));",
        "random numbers from the time": "srand(time(NULL)); show(rand() % 2);",
        "microseconds": "struct timeval now; gettimeofday(&now, NULL); show(now.tv_usec % 2);",
        "how long the machine has been up": """
            struct timespec now;
            clock_gettime(CLOCK_MONOTONIC, &now);
            show(now.tv_sec % 2);
            """,
    },
    Kind.PACE: {
        "how long a child lasted": """
            struct timeval start, end;
            gettimeofday(&start, NULL);
            if (fork() == 0) return 0;
            wait(NULL);
            gettimeofday(&end, NULL);
            show((end.tv_sec - start.tv_sec) * 1000000 + end.tv_usec - start.tv_usec);
            """,
        "how much is left of a sleep": """
            signal(SIGUSR1, heard);
            if (fork() == 0) { sleep(1); return kill(getppid(), SIGUSR1); }
            show(sleep(3));
            """,
        "how much is left of a timer": """
            struct itimerval rings = {{0, 0}, {5, 0}};
            setitimer(ITIMER_REAL, &rings, NULL);
            getitimer(ITIMER_REAL, &rings);
            show(rings.it_value.tv_sec);
            """,
        "how much is left of a limit": """
            struct timeval limit = {5, 0};
            int ends[2];
            fd_set wanted;
            if (pipe(ends) < 0) return 1;
            if (fork() == 0) { sleep(1); return write(ends[1], "a", 1) != 1; }
            FD_ZERO(&wanted);
            FD_SET(ends[0], &wanted);
            select(ends[0] + 1, &wanted, NULL, NULL, &limit);
            show(limit.tv_sec);
            """,
        "whether a nap lasted longer": """
            struct timespec start, end;
            clock_gettime(CLOCK_MONOTONIC, &start);
            if (fork() == 0) return usleep(1000);
            wait(NULL);
            clock_gettime(CLOCK_MONOTONIC, &end);
            show((end.tv_sec - start.tv_sec) * 1000000000 + end.tv_nsec - start.tv_nsec > 1000000);
            """,
    },
    Kind.FILES: {
        "an inode": 'make("a"); stat("a", &found); show(found.st_ino % 2);',
        "an inode of a folder": 'mkdir("a", 0700); stat("a", &found); show(found.st_ino % 3);',
        "whether a file is new": 'make("a"); stat("a", &found); show(found.st_mtime > time(NULL) - 99);',
        "which file is newer": """
            make("a");
            sleep(1);
            make("b");
            stat("a", &found);
            stat("b", &other);
            show(other.st_mtime > found.st_mtime);
            """,
        "how much of the disk a file takes": """
            int file = open("a", O_CREAT | O_RDWR, 0600);
            if (write(file, "abc", 3) != 3) return 1;
            fstat(file, &found);
            show(found.st_blocks);
            """,
        "whether there is room": 'struct statvfs room; statvfs(".", &room); show(room.f_bavail > 99);',
        "whether much is free": "struct sysinfo now; sysinfo(&now); show(now.freeram > 1 << 20);",
        "the order of a folder": """
            make("a");
            make("b");
            make("c");
            DIR *here = opendir(".");
            for (struct dirent *entry; (entry = readdir(here));) puts(entry->d_name);
            """,
    },
}
SAMPLE = {
    "a bit of an address of its stack", "random numbers from a pid", "whether its parent is init",
    "who was born first", "how long a child lasted", "how much is left of a sleep",
    "random numbers from the time", "which file is newer", "whether there is room",
}  # fmt: skip
DIFFERS = {
    "the name of its terminal": "puts(ttyname(1));",
    "an inode of a pipe": "int ends[2]; if (pipe(ends)) return 1; fstat(ends[0], &found); show(found.st_ino % 2);",
    "time stamps of the processor": "show(__builtin_ia32_rdtsc() >> 4 & 1);",
    "a name by mkstemp": 'char name[] = "xXXXXXX"; mkstemp(name); unlink(name); show(name[1] & 1);',
}
SAME = {
    "pids as such": 'printf("%5d %d %d\\n", getpid(), getppid(), fork() == 0 ? getpid() : 0);',
    "a size, a mode, a number of links": """
        make("a");
        stat("a", &found);
        printf("%ld %o %ld\\n", (long)found.st_size, found.st_mode, (long)found.st_nlink);
        """,
    "how much time has gone by": "time_t start = time(NULL); sleep(2); show(time(NULL) - start);",
    "who sleeps longer, by moments": """
        struct timespec end;
        clock_gettime(CLOCK_MONOTONIC, &end);
        if (fork() == 0) { usleep(1500000); puts("b"); return 0; }
        end.tv_sec++;
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL);
        puts("a");
        wait(NULL);
        """,
    "a FIFO that is called after a pid": """
        char name[20], letter;
        sprintf(name, "fifo.%d", getpid());
        if (mkfifo(name, 0600) < 0) return 1;
        if (fork() == 0) return write(open(name, O_WRONLY), "x", 1) != 1;
        if (read(open(name, O_RDONLY), &letter, 1) == 1) show(letter);
        wait(NULL);
        """,
    "whether its output is a terminal": "show(isatty(1));",
    "how much memory there is": "struct sysinfo now; sysinfo(&now); show(now.totalram > 1000);",
    "a file that was there": 'show(stat("was/there", &found) == 0 && found.st_ino > 0);',
}
SAME_SAMPLE = {"pids as such", "how much time has gone by", "a FIFO that is called after a pid"}

HASHES = [
    "print(hash('a') % 7)",
    "for x in {'a', 'b', 'c'}: print(x)",
    "print(next(iter(frozenset(['x', 'y']))))",
]
TWISTS = [
    "import random\nprint(random.random() < .001)",
    "import random\nprint(random.Random().random() < .001)",
    "import os, random\nif os.fork() == 0:\n    print(random.randint(0, 1000) == 7)\nelse:\n    os.wait()",
]


def in_c(runnable: Runnable, body: str) -> Exploration:
    return explore(**runnable("c", f"{HEAD}\nint main(void) {{ {body} }}"), forks=True)


def in_python(runnable: Runnable, text: str) -> Exploration:
    return explore(**runnable("python", text), forks=True)


def marked(names: dict[str, str], sample: set[str]) -> list[object]:
    return [
        pytest.param(name, marks=[] if name in sample else [pytest.mark.slow]) for name in names
    ]


@pytest.mark.parametrize("what", ASKS)
def test_what_nobody_decides_is_said(what: str, runnable: Runnable) -> None:
    found = in_c(runnable, ASKS[what])
    assert not found.complete
    assert found.reasons[0].startswith(f"P {what}")


@pytest.mark.parametrize("body", DRAWS)
def test_to_draw_as_libc_and_python_do_is_to_draw(body: str, runnable: Runnable) -> None:
    found = in_c(runnable, body)
    assert found.reasons[0].startswith("P asks for random numbers")


def test_libc_and_python_ask_at_their_start_for_what_they_never_show(runnable: Runnable) -> None:
    assert in_c(runnable, "free(malloc(10));").complete
    assert in_python(runnable, "print('a')").complete


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        pytest.param(kind, what, marks=[] if what in SAMPLE else [pytest.mark.slow])
        for kind, programs in DEPENDS.items()
        for what in programs
    ],
)
def test_what_differs_from_run_to_run_is_no_proof(
    kind: Kind, what: str, runnable: Runnable
) -> None:
    found = in_c(runnable, DEPENDS[kind][what])
    assert not found.complete
    # An inode may also differ by itself, before it is changed: then no outcome happens again, or it is said so.
    by_itself = ("it depends on what is different in each run", "not every outcome")
    expected = (f"it depends on {kind.value}", *(by_itself if kind is Kind.FILES else ()))
    assert found.reasons[0].startswith(expected)


@pytest.mark.slow
@pytest.mark.parametrize("what", DIFFERS)
def test_what_differs_by_itself_is_no_proof(what: str, runnable: Runnable) -> None:
    assert not in_c(runnable, DIFFERS[what]).complete


@pytest.mark.parametrize("what", marked(SAME, SAME_SAMPLE))
def test_what_is_the_same_in_each_run_is_proved(
    what: str, runnable: Runnable, folder: Path
) -> None:
    (folder / "was").mkdir()
    (folder / "was" / "there").touch()
    found = in_c(runnable, SAME[what])
    assert found.complete, found.reasons


def test_a_program_has_all_processors_that_it_would_have(runnable: Runnable) -> None:
    import os

    found = in_c(
        runnable,
        "cpu_set_t mine; sched_getaffinity(0, sizeof mine, &mine); show(CPU_COUNT(&mine));",
    )
    assert found.outputs == (f"{len(os.sched_getaffinity(0))}\n",)


@pytest.mark.parametrize(
    "text", [HASHES[0], *(pytest.param(t, marks=[pytest.mark.slow]) for t in HASHES[1:])]
)
def test_what_depends_on_hashes_is_no_proof(text: str, runnable: Runnable) -> None:
    found = in_python(runnable, text)
    assert not found.complete
    assert found.reasons[0].startswith(f"it depends on {Kind.HASHES.value}")


@pytest.mark.slow
def test_who_has_chosen_how_python_shall_hash_gets_a_proof(runnable: Runnable) -> None:
    import os

    environment = {**os.environ, "PYTHONHASHSEED": "3"}
    found = explore(**runnable("python", HASHES[0]), environment=environment)
    assert found.complete


@pytest.mark.parametrize(
    "text", [TWISTS[0], *(pytest.param(t, marks=[pytest.mark.slow]) for t in TWISTS[1:])]
)
def test_who_uses_pythons_random_numbers_is_found_out(text: str, runnable: Runnable) -> None:
    found = in_python(runnable, text)
    assert not found.complete
    assert "uses Python's random numbers" in found.reasons[0]


def test_who_only_imports_them_is_not(runnable: Runnable) -> None:
    text = "import os, random\nif os.fork() == 0:\n    print('a')\nelse:\n    os.wait()"
    assert in_python(runnable, text).complete


def test_the_same_numbers_are_drawn_again(runnable: Runnable) -> None:
    """So what was found can be seen again, though it may not be all."""
    found = in_c(
        runnable, "unsigned drawn; if (getrandom(&drawn, 4, 0) < 0) return 1; show(drawn);"
    )
    assert len(found.outcomes) == found.replayed == 1


@pytest.mark.slow
def test_who_asks_as_python_does_from_3_13_on_shows_nothing_of_it(runnable: Runnable) -> None:
    """mimalloc is in each Python then: it asks for 32 bytes, and does not wait for them. Who would wait, uses them."""
    asks = "import os\nos.getrandom(32, FLAGS)\n"
    assert explore(**runnable("python", asks.replace("FLAGS", "os.GRND_NONBLOCK"))).complete
    assert not explore(**runnable("python", asks.replace("FLAGS", "0"))).complete


@pytest.mark.parametrize(
    "body",
    [
        "if (unshare(0x80) == 0 && fork() == 0) return 0; wait(NULL);",  # CLONE_NEWTIME
        "unsigned long long how[8] = {0x80, 0, 0, 0, SIGCHLD}; return syscall(435, how, sizeof how) < 0;",
    ],
    ids=["unshare", "clone3"],
)
def test_clocks_of_another_namespace_are_not_followed(body: str, runnable: Runnable) -> None:
    found = in_c(runnable, body)
    assert any("goes to another namespace" in reason for reason in found.reasons)
    assert not found.complete


@pytest.mark.slow
def test_who_asks_as_python_does_from_3_14_on_shows_nothing_of_it(runnable: Runnable) -> None:
    """Where its first thread's stack ends, glibc reads from /proc/self/maps. Who reads it itself, may show it."""
    asks = (
        ""
        if sys.version_info >= (3, 14)
        else """
import ctypes
libc = ctypes.CDLL(None)
libc.pthread_self.restype = ctypes.c_ulong
assert libc.pthread_getattr_np(ctypes.c_ulong(libc.pthread_self()), bytes(100)) == 0
"""
    )
    assert in_python(runnable, asks).complete
    read = in_python(
        runnable, "import os\nos.read(os.open('/proc/self/maps', os.O_RDONLY), 1024)\n"
    )
    assert any("reads /proc/1000/maps" in reason for reason in read.reasons)


def test_many_programs_ask_the_kernel_for_what_stays_as_it_is(runnable: Runnable) -> None:
    look = """
        char byte;
        if (fork() == 0) return read(open("%s", O_RDONLY), &byte, 1) != 1;
        wait(NULL);
        """
    assert in_c(runnable, look % "/proc/filesystems").complete
    for others in ("/proc/self/status", "/proc/1000/status", "/proc/self/cwd/a", "/proc/stat"):
        assert not in_c(runnable, look % others).complete
