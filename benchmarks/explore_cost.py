"""What it costs to know all outcomes: schedules a second, against the naive way.

The naive way starts a recorder, a namespace and the program afresh for each schedule. Beside it stand every schedule
through replayers that stay, on all processors, and the state graph of what real runs have taught, which covers all
schedules at once. Then how long the programs take of which we promise something.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from forklab.explore import explore
from forklab.explore.every import every_schedule
from forklab.explore.graph import explore_graph
from forklab.explore.replays import Replays
from forklab.lens.record import record
from forklab.source import program_of
from forklab.steps.schedule import Schedule

TWO_LINES_EACH = """
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int main(void) {
    if (fork() == 0) { puts("a"); puts("b"); puts("c"); exit(0); }
    puts("x"); puts("y"); puts("z");
}
"""

LABELS = """
#include <stdio.h>
#include <unistd.h>
int main(void) {
    int label = 0;
    for (int i = 0; i < FORKS; i++) label = 2 * label + (fork() == 0);
    printf("%c\\n", 'A' + label);
}
"""

INIT = """
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t child;

static void forward(int number)
{
    if (child > 0) kill(child, number);
}

int main(void)
{
    pid_t me = getpid();
    if (fork() == 0) { kill(me, SIGTERM); _exit(9); }
    signal(SIGTERM, forward);
    child = fork();
    if (child == 0) { signal(SIGTERM, SIG_DFL); sleep(5); _exit(7); }
    int status, code = 1;
    for (pid_t p; (p = wait(&status)) > 0;)
        if (p == child) code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return code;
}
"""


@contextmanager
def timed(seconds: list[float]) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds.append(time.perf_counter() - start)


def rates() -> None:
    with (
        program_of("c", TWO_LINES_EACH) as program,
        Replays(program.argv, program=program.path, longest=1000) as replays,
    ):
        first = replays.play([]).steps  # a schedule to repeat; and the replayers are warm
        list(replays.play_all([first] * 4))
        naive, every, learned = [], [], []
        for _ in range(3):
            with timed(naive):
                for _ in range(10):
                    record(program.argv, program=program.path, schedule=Schedule(tuple(first)))
            with timed(every):
                found = every_schedule(replays)
            with timed(learned):
                graph = explore_graph(replays)
    slow = 10 / min(naive)
    quick, all_at_once = found.schedules / min(every), graph.schedules() / min(learned)
    print(f"naive, a recorder for each   {slow:8.1f} schedules a second")
    print(
        f"every schedule, replayed     {quick:8.1f} schedules a second, {quick / slow:.1f} times as many"
    )
    print(
        f"the state graph              {all_at_once:8.1f} schedules a second, {all_at_once / slow:.1f} times"
    )


def programs() -> None:
    two, three = LABELS.replace("FORKS", "2"), LABELS.replace("FORKS", "3")
    for name, text, only in (
        ("fork();fork(); with labels", two, False),
        ("a small init and one SIGTERM", INIT, False),
        ("three forks, orders of labels", three, True),
    ):
        with program_of("c", text) as program:
            seconds: list[float] = []
            with timed(seconds):
                found = explore(program.argv, program=program.path, text_only=only, seconds=600)
        print(
            f"{name:30} {seconds[0]:6.2f} s: {len(found.outcomes)} outcomes of"
            f" {found.schedules:,} schedules, {found.states} states, {found.runs} runs,"
            f" {'complete' if found.complete else 'not complete'}"
        )


if __name__ == "__main__":
    rates()
    programs()
