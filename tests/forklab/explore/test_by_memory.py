"""States that no process can tell apart are one, and nothing else changes by that."""

from __future__ import annotations

import pytest
from random_programs import random_program
from random_sharing import random_sharing

from forklab.explore.graph import Graph, explore_graph
from forklab.explore.harvest import harvest
from forklab.explore.replays import Replays
from forklab.source import program_of

MANY = 3_000  # states

SUM = """
    #include <stdio.h>
    #include <sys/wait.h>
    #include <unistd.h>
    int main(void) {
        int sum = 0, status = 0;
        for (int number = 1; number <= 4; number++)
            if (fork() == 0) _exit(number);
        while (wait(&status) > 0) sum += WEXITSTATUS(status);
        status = 0;
        printf("%d\\n", sum);
    }
"""
# Who prints first, takes the number that the kernel gives to a descriptor, a time stamp and a random number along.
KEPT = """
    #include <fcntl.h>
    #include <signal.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <sys/random.h>
    #include <sys/stat.h>
    #include <sys/wait.h>
    #include <unistd.h>
    #if defined __x86_64__
    #define STAMP() __builtin_ia32_rdtsc()
    #else
    #define STAMP() 1
    #endif
    static void once(int number) { (void)number; }
    static void twice(int number) { (void)number; }
    int main(void) {
        unsigned char chance[4];
        unsigned long stamp = STAMP();
        if (getrandom(chance, sizeof chance, 0) != sizeof chance) return 1;
        for (int number = 1; number <= 2; number++)
            if (fork() == 0) _exit(number);
        int status = 0;
        wait(&status);
        BODY
        status = 0;
        wait(NULL);
        LATER
        return stamp == 0;
    }
"""
# Each is forgotten in memory, but the kernel keeps it.
BODIES = {
    "a handler": (
        "signal(SIGUSR1, WEXITSTATUS(status) == 1 ? once : twice);",
        "puts(signal(SIGUSR1, SIG_DFL) == once ? \"once\" : \"twice\");",
    ),
    "a descriptor": (
        "if (WEXITSTATUS(status) == 1) close(0);",
        "printf(\"%d\\n\", open(\"/dev/null\", O_RDONLY));",
    ),
    "a mask": (
        """sigset_t set; sigemptyset(&set);
           if (WEXITSTATUS(status) == 1) sigaddset(&set, SIGUSR2);
           sigprocmask(SIG_SETMASK, &set, NULL); sigemptyset(&set);""",
        """sigset_t now; sigprocmask(SIG_BLOCK, NULL, &now); printf("%d\\n", sigismember(&now, SIGUSR2));""",
    ),
    "a folder": (
        "if (chdir(WEXITSTATUS(status) == 1 ? \"/\" : \"/proc\")) return 1;",
        "char here[9]; puts(getcwd(here, sizeof here));",
    ),
    "the mode of new files": (
        "umask(WEXITSTATUS(status) == 1 ? 077 : 022);",
        "printf(\"%o\\n\", umask(0));",
    ),
    "an offset": (
        """int file = open("/etc/passwd", O_RDONLY); char letter;
           puts("x");
           if (WEXITSTATUS(status) == 1 && read(file, &letter, 1) != 1) return 1;
           letter = 0;""",
        """printf("%ld\\n", (long)lseek(file, 0, SEEK_CUR));""",
    ),
    "memory": (
        "char *kept = malloc(100); sprintf(kept, \"%d\", WEXITSTATUS(status));",
        "puts(kept);",
    ),
}  # fmt: skip


# Nobody remembers whether the one who tried came first; but it shows in the count.
COUNTED = """
    #include <fcntl.h>
    #include <semaphore.h>
    #include <stdio.h>
    #include <sys/stat.h>
    #include <sys/wait.h>
    #include <unistd.h>
    int main(void) {
        char name[40];
        int value;
        struct stat here;
        if (stat(".", &here)) return 8;
        sprintf(name, "/forklab-%lu", here.st_ino);
        sem_t *count = sem_open(name, O_CREAT | O_EXCL, 0600, 0);
        sem_unlink(name);
        if (fork() == 0) { sem_post(count); _exit(0); }
        if (fork() == 0) { sem_trywait(count); _exit(0); }
        while (wait(NULL) > 0) {}
        sem_getvalue(count, &value);
        printf("%d", value);
        return 0;
    }
"""


def outcomes(graph: Graph) -> set[tuple[str, object]]:
    return {(outcome.output, outcome.end) for outcome in harvest(graph, 10_000)}


def compare(text: str) -> tuple[Graph, Graph] | None:
    """As it is, and by memory; None where that is too much, or does not tell the same in each run."""
    with (
        program_of("c", text) as program,
        Replays(program.argv, program=program.path, longest=1000) as replays,
    ):
        first = replays.play([])  # who changes files runs alone from then on
        plain = explore_graph(
            replays, first=first, is_over=lambda graph: len(graph.learned.situations) > MANY
        )
        if not plain.complete or plain.learned.doubts or not replays.begin_by_memory():
            return None
        merged = explore_graph(replays)
    assert merged.complete and not merged.learned.doubts, text
    assert merged.schedules() == plain.schedules(), text
    assert outcomes(merged) == outcomes(plain), text
    return plain, merged


def test_in_which_order_children_were_collected_is_forgotten() -> None:
    found = compare(SUM)
    assert found is not None
    plain, merged = found
    assert len(merged.steps) < len(plain.steps)


@pytest.mark.parametrize("what", BODIES)
def test_what_is_kept_outside_of_memory_is_not_forgotten(what: str) -> None:
    body, later = BODIES[what]
    found = compare(KEPT.replace("BODY", body).replace("LATER", later))
    assert found is not None
    assert len(outcomes(found[1])) == 2


@pytest.mark.usefixtures("folder")
def test_what_a_semaphore_counts_is_not_forgotten() -> None:
    found = compare(COUNTED)
    assert found is not None
    plain, merged = found
    assert {output for output, _ in outcomes(merged)} == {"0", "1"}
    assert len(merged.learned.situations) < len(plain.learned.situations)


def test_random_programs_do_the_same() -> None:
    assert sum(compare(random_program(seed)) is not None for seed in range(5)) > 2


@pytest.mark.usefixtures("folder")
def test_random_programs_that_share_do_the_same() -> None:
    assert sum(compare(random_sharing(seed)) is not None for seed in range(4)) > 1


@pytest.mark.slow
@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("hundred", range(1, 4))
def test_many_random_programs_do_the_same(hundred: int) -> None:
    seeds = range(100 * hundred - 100, 100 * hundred)
    assert sum(compare(random_program(seed)) is not None for seed in seeds) > 50
    assert sum(compare(random_sharing(seed)) is not None for seed in seeds) > 30
