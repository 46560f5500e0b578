"""What the explorer finds, against proofs by hand and against the other two ways to search."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from programs import OWN, TABLE, Case, Expected, Runnable

from forklab.explore import Outcome, explore
from forklab.explore.dpor import one_of_each_kind
from forklab.explore.every import every_schedule
from forklab.explore.explore import REPLAYED
from forklab.explore.graph import explore_graph
from forklab.explore.harvest import harvest
from forklab.explore.replays import Replays
from forklab.lens.record import record


def seen(outcome: Outcome) -> Expected:
    how = outcome.signal if outcome.exit is None else outcome.exit
    return " ".join(outcome.output.split()), how, outcome.deadlock, outcome.unreaped


LONG = ("three_children_in_any_order", "two_lines_each_in_python")
# `make test` takes every other one; three ways to search, below, take most of the others.
EVERY_CASE = [
    pytest.param(
        case, marks=[] if place % 2 and case.name not in LONG else [pytest.mark.slow], id=case.name
    )
    for place, case in enumerate((*TABLE, *OWN))
]


@pytest.mark.parametrize("case", EVERY_CASE)
def test_everything_that_can_come_of_it_is_found_and_nothing_else(
    case: Case, runnable: Runnable
) -> None:
    found = explore(**runnable(case.language, case.text))
    assert {seen(outcome) for outcome in found.outcomes} == case.outcomes
    assert found.complete, found.reasons
    assert found.replayed == min(len(found.outcomes), REPLAYED)  # each was seen once more


# Each schedule is a run of its own here, and Python takes a while to start: ten seconds to minutes for these cases,
# hours for one. The others have a handler, a pipe and its end, a kill in the middle of a write, too.
MANY_RUNS = (
    "a_message_through_a_pipe",
    "another_program",
    "does_not_wait",
    "the_handler_reaps_once",
    "two_forks_and_a_label",
    "two_lines_each_in_python",
    "two_writers_on_a_pipe",
)
TOO_MANY_RUNS = ("three_children_in_any_order",)
AFFORDABLE = [
    pytest.param(
        case, marks=[pytest.mark.slow] if case.name in MANY_RUNS or place % 2 else [], id=case.name
    )
    for place, case in enumerate((*TABLE, *OWN))
    if case.name not in TOO_MANY_RUNS
]


@pytest.mark.parametrize("case", AFFORDABLE)
def test_three_ways_to_search_agree(case: Case, runnable: Runnable) -> None:
    """Every schedule by itself, the graph of what was learned, and partial-order reduction."""
    with Replays(**runnable(case.language, case.text), longest=1000) as replays:
        graph = explore_graph(replays, waits_after_calls=True)
        lazy = explore_graph(replays)
        reduced = one_of_each_kind(replays)
        every = every_schedule(replays)
    assert every.complete and reduced.complete and graph.complete
    assert reduced.outcomes == every.outcomes
    assert {(o.output, o.end) for o in harvest(graph, 1000)} == every.outcomes
    assert {(o.output, o.end) for o in harvest(lazy, 1000)} == every.outcomes
    assert graph.schedules() == every.schedules  # each of them, none twice
    assert reduced.schedules <= every.schedules
    assert not graph.learned.doubts and not lazy.learned.doubts


def test_two_forks_have_as_many_schedules_as_the_hook_length_formula_says(
    runnable: Runnable,
) -> None:
    """Eleven steps in a forest of orders: 11! over the product of the sizes of all subtrees, 11, 5, 5 and four 2s."""
    case = TABLE[1]
    with Replays(**runnable(case.language, case.text), longest=1000) as replays:
        graph = explore_graph(replays)
    assert graph.schedules() == 39_916_800 // (11 * 5 * 5 * 2**4)
    assert replays.runs < 40  # and so few real runs tell it all


def test_the_answer_is_the_same_each_time(runnable: Runnable) -> None:
    program = runnable("c", "#include <signal.h>\n" + TABLE[2].text)
    first = explore(**program)
    for _ in range(3):
        again = explore(**program)
        assert again.outcomes == first.outcomes
        assert (again.schedules, again.states) == (first.schedules, first.states)


def test_without_a_namespace_the_outcomes_are_the_same(runnable: Runnable) -> None:
    for case in (TABLE[0], OWN[15]):
        found = explore(**runnable(case.language, case.text), namespace=False)
        assert {seen(outcome) for outcome in found.outcomes} == case.outcomes


def test_a_schedule_is_a_shortest_one(runnable: Runnable) -> None:
    found = explore(**runnable("c", TABLE[0].text))
    first = next(outcome for outcome in found.outcomes if outcome.output == "a\nb\nc\nd\n")
    assert len(first.schedule) == 7  # a fork, four lines, two exits
    assert first.schedule[0].does == "P forks P.1"


def test_a_bound_is_said_and_what_was_found_until_then_is_there(runnable: Runnable) -> None:
    found = explore(**runnable("c", TABLE[1].text), limit=60)
    assert not found.complete
    assert found.reasons == ("60 states were reached",)
    everything = explore(**runnable("c", TABLE[1].text))
    assert {seen(o) for o in found.outcomes} <= {seen(o) for o in everything.outcomes}


HONEST = {
    "it shares memory": """\
        #define _GNU_SOURCE
        #include <sys/mman.h>
        #include <unistd.h>
        int main(void) {
            int *shared = mmap(0, 4, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
            if (fork() == 0) { *shared = 1; _exit(0); }
            return *shared;
        }
        """,
    "it uses sockets": """\
        #include <sys/socket.h>
        #include <unistd.h>
        int main(void) {
            char c;
            int end = socket(AF_INET, SOCK_DGRAM, 0);
            if (fork() == 0) _exit(write(end, "x", 1) != 1);
            return read(end, &c, 1) != 1;
        }
        """,
    "it uses sockets: whoever binds a name may be called": """\
        #include <errno.h>
        #include <sys/socket.h>
        #include <sys/un.h>
        #include <unistd.h>
        int main(void) {
            struct sockaddr_un here = {AF_UNIX, "called"};
            int end = socket(AF_UNIX, SOCK_STREAM, 0);
            unlink(here.sun_path);
            if (fork() == 0) _exit(bind(end, (struct sockaddr *)&here, sizeof here));
            return connect(end, (struct sockaddr *)&here, sizeof here) < 0 && errno == ENOENT;
        }
        """,
    "it waits in poll": """\
        #include <poll.h>
        #include <sys/inotify.h>
        #include <unistd.h>
        int main(void) {
            struct pollfd wanted = {inotify_init(), POLLIN, 0};
            if (fork() == 0) _exit(inotify_add_watch(wanted.fd, ".", IN_CREATE) < 0);
            return poll(&wanted, 1, 1) != 0;
        }
        """,
    "it executes itself": """\
        #include <unistd.h>
        int main(int count, char *words[]) {
            if (count > 1) return 0;
            return fork() == 0 && execl(words[0], words[0], "again", NULL);
        }
        """,
    "it reads what somebody types at its terminal": """\
        #include <unistd.h>
        int main(void) {
            char letter;
            return read(1, &letter, 1) != 1;
        }
        """,
    "it has who writes in the background stopped": """\
        #include <sys/wait.h>
        #include <termios.h>
        #include <unistd.h>
        int main(void) {
            struct termios modes;
            if (tcgetattr(1, &modes)) return 1;
            modes.c_lflag |= TOSTOP;
            if (tcsetattr(1, TCSANOW, &modes)) return 1;
            if (fork() == 0) _exit(setpgid(0, 0) || write(1, "a", 1) != 1);
            return waitpid(-1, NULL, WUNTRACED) < 0;
        }
        """,
    "somebody computes for long": """\
        #include <signal.h>
        #include <unistd.h>
        static volatile sig_atomic_t got;
        static void note(int number) { (void)number; got = 1; }
        int main(void) {
            signal(SIGCHLD, note);
            if (fork() == 0) _exit(0);
            for (volatile long turns = 0; !got; turns++) continue;
        }
        """,
}


@pytest.mark.parametrize("reason", HONEST)
def test_what_is_not_modelled_is_never_taken_for_covered(reason: str, runnable: Runnable) -> None:
    found = explore(**runnable("c", "#define _GNU_SOURCE\n" + HONEST[reason]))
    assert not found.complete
    what = reason.partition(":")[0]
    assert any(known.startswith(what) for known in found.reasons), found.reasons


ASKS_FOR_A_USER = """\
    #include <pwd.h>
    #include <stdio.h>
    #include <unistd.h>
    #include <sys/wait.h>
    int main(void) {
        if (fork() == 0) {
            puts(getpwuid(0)->pw_name);
            return 0;
        }
        puts(getpwuid(0)->pw_name);
        return wait(NULL) < 0;
    }
    """


@pytest.mark.skipif(Path("/var/run/nscd").exists(), reason="a daemon tells who the users are")
def test_to_call_a_name_that_nobody_has_is_nothing_from_outside(runnable: Runnable) -> None:
    """So the C library looks for nscd(8) whenever it is asked for a user."""
    program = runnable("c", ASKS_FOR_A_USER)
    found = explore(**program)
    assert [outcome.output for outcome in found.outcomes] == ["root\nroot\n"]
    assert found.complete, found.reasons
    assert not record(**program).reasons


def test_threads_are_said() -> None:
    text = "import threading; t = threading.Thread(target=print); t.start(); t.join()"
    found = explore([sys.executable, "-c", text])
    assert "it has several threads" in found.reasons
    assert not found.complete and not found.outcomes  # nothing is known, and nothing claimed


LONG_WRITES = """\
    #include <string.h>
    #include <sys/wait.h>
    #include <unistd.h>
    static char text[SIZE];
    int main(void) {
        int child = fork();
        memset(text, child ? 'a' : 'b', sizeof text);
        if (!child || WRITES) if (write(1, text, sizeof text) != sizeof text) return 1;
        return child && wait(NULL) != child;
    }
    """


@pytest.mark.parametrize(
    ("size", "writes", "pipe"),
    [(4097, 1, True), (4096, 1, True), (4097, 0, True), (4097, 1, False)],
)
def test_a_long_text_may_be_cut_in_pieces_where_two_write_into_a_pipe(
    size: int, writes: int, pipe: bool, runnable: Runnable
) -> None:
    text = LONG_WRITES.replace("SIZE", str(size)).replace("WRITES", str(writes))
    found = explore(**runnable("c", text), pipe=pipe)
    whole = size == 4096 or not writes or not pipe
    assert found.complete == whole, found.reasons
    assert whole or found.reasons[0].startswith("more than 4096 bytes are written at once")
