"""What `prove` promises: it is right about every schedule of a real play, and each loss was seen."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from autograder.labs.lab import load_lab
from autograder.labs.scenario import Scenario
from autograder.labs.shortened import SHORT, shortened
from autograder.language.roles import PIDNS, VIRTUAL
from autograder.language.script import parse
from autograder.stage.isolation import probe
from autograder.stage.stage import Stage
from autograder.stage.tools import compiler
from autograder.stage.workspace import Workspace
from autograder.trial import rehearsals as playing
from autograder.trial.proof import Proof, Standing
from autograder.trial.prove import prove
from autograder.trial.rehearsals import Rehearsals, Rehearsed
from autograder.trial.verdict import Status, Verdict
from forklab.explore.every import every_schedule
from forklab.explore.graph import explore_graph
from forklab.explore.learned import real_steps
from forklab.lens.calls import dispatch
from forklab.lens.replay import Played
from forklab.lens.world.onward import Onward
from forklab.lens.world.tracees import Call
from forklab.steps.moves import Move
from forklab.steps.state import SCRIPT, Script, place_of

LAB = load_lab("init")
SOLUTION = (LAB.folder / "solution/c/init.c").read_text()

# The child makes its group, but init may pass on a signal before that: kill(2) reaches nobody then. `AFTER_FORK` is
# what makes that rare, and not impossible.
RACY = """
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
static volatile pid_t command;
static void pass_on(int number) { if (command > 0) kill(-command, number); }
int main(int count, char **arguments) {
    (void)count;
    struct sigaction action = {.sa_handler = pass_on, .sa_flags = SA_RESTART};
    sigset_t term;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, NULL);
    sigaction(SIGTERM, &action, NULL);
    command = fork();
    if (command == 0) {
        AFTER_FORK
        setpgid(0, 0);
        signal(SIGTERM, SIG_DFL);
        sigprocmask(SIG_UNBLOCK, &term, NULL);
        execvp(arguments[1], arguments + 1);
        _exit(127);
    }
    PARENT_AFTER_FORK
    sigprocmask(SIG_UNBLOCK, &term, NULL);
    int status, result = 1;
    for (;;) {
        pid_t ended = wait(&status);
        if (ended < 0 && errno == ECHILD) return result;
        if (ended == command)
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
}
"""
AT_ANY_MOMENT = "send SIGTERM to init at any moment\nexpect init exits 143\nexpect nobody is left"


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Workspace() as folder:
        yield folder


Prover = Callable[..., Proof]
Begin = Callable[[str, Scenario], Rehearsals]


@pytest.fixture
def begin(workspace: Workspace) -> Iterator[Begin]:
    """`begin(C, scenario)` is ready to play an init of that text by schedules."""
    if probe().mode != PIDNS:
        pytest.skip(probe().why)
    stages: list[Stage] = []

    def begun(text: str, scenario: Scenario) -> Rehearsals:
        folder = workspace.subfolder()
        source = Path(folder, "init.c")
        source.write_text(text)
        command = [compiler(), "-std=gnu11", "-O1", str(source), "-o", str(folder / "init")]
        subprocess.run(command, check=True, timeout=60)
        stage = Stage(VIRTUAL, workspace, folder, by_schedule=True)
        stages.append(stage)
        return Rehearsals(scenario, {"init": [f"{stage.sandbox.folder}/init"]}, stage)

    yield begun
    for stage in stages:
        stage.close()


@pytest.fixture
def proved(begin: Begin) -> Prover:
    def prover(text: str, scenario: Scenario, *, seconds: float = 300.0) -> Proof:
        rehearsals = begin(text, scenario)
        return prove(scenario, rehearsals._programs, rehearsals._stage, seconds=seconds)

    return prover


def scenario(script: str, command: tuple[str, ...] | None = None) -> Scenario:
    return replace(
        LAB.scenarios[0], name="a play", script=script, steps=tuple(parse(script)), command=command
    )


def of_lab(name: str) -> Scenario:
    return next(one for one in LAB.scenarios if one.name == name)


@pytest.mark.parametrize("name", ["02_orphan", "46_woken_through_init", "63_main_comes_late"])
def test_the_solution_is_right_in_all_schedules(proved: Prover, name: str) -> None:
    proof = proved(SOLUTION, of_lab(name))
    assert proof.standing is Standing.PROVED, proof.words
    assert proof.schedules > 1
    assert proof.words == f"right in all {proof.schedules:,} schedules"


def test_a_signal_at_any_moment_does_not_break_the_solution(proved: Prover) -> None:
    proof = proved(SOLUTION, scenario(AT_ANY_MOMENT, ("sleep", "infinity")))
    assert proof.standing is Standing.PROVED, proof.words
    assert proof.schedules > 1_000  # it meets init, and its command, wherever they are


@pytest.mark.parametrize("nap", ["", "usleep(1000);"], ids=["at once", "after a nap"])
def test_the_moment_is_found_at_which_a_racy_init_loses(proved: Prover, nap: str) -> None:
    text = RACY.replace("PARENT_AFTER_FORK", "").replace("AFTER_FORK", nap)
    proof = proved(text, scenario(AT_ANY_MOMENT, ("sleep", "infinity")))
    assert proof.standing is Standing.LOST, proof.words
    assert proof.loss is not None
    assert proof.loss.verdict.status is Status.FAILED
    assert proof.loss.verdict.failed_step == 2
    told = list(proof.loss.steps)
    assert "SIGTERM comes to init from outside" in told
    assert told.index("SIGTERM comes to init from outside") < len(told) - 1
    assert proof.loss.history.process("init")


def test_its_mend_is_proved(proved: Prover) -> None:
    """Both sides make the group."""
    text = RACY.replace("PARENT_AFTER_FORK", "setpgid(command, command);").replace("AFTER_FORK", "")
    proof = proved(text, scenario(AT_ANY_MOMENT, ("sleep", "infinity")))
    assert proof.standing is Standing.PROVED, proof.words


def test_who_relies_on_a_nap_is_not_said_to_be_right_whatever_happens(proved: Prover) -> None:
    text = RACY.replace("PARENT_AFTER_FORK", "usleep(1000);").replace("AFTER_FORK", "")
    proof = proved(text, scenario(AT_ANY_MOMENT, ("sleep", "infinity")))
    assert proof.timed
    assert proof.words.endswith("if nobody is slower than a timer")


# The pipe closes before the kernel kills all others in the namespace.
TAKES_A_READER_ALONG = """
#include <sys/wait.h>
#include <unistd.h>
int main(int count, char **arguments) {
    int ends[2], status = 0;
    char letter;
    if (count < 2 || pipe(ends)) return 9;
    if (fork() == 0) {
        close(ends[1]);
        if (read(ends[0], &letter, 1) == 0) write(1, "end\\n", 4);
        pause();
    }
    pid_t child = fork();
    if (child == 0) { close(ends[1]); execvp(arguments[1], arguments + 1); _exit(127); }
    waitpid(child, &status, 0);
    _exit(WEXITSTATUS(status));
}
"""


def test_who_dies_with_init_may_see_what_it_has_closed(proved: Prover) -> None:
    script = 'main exits 3\nexpect init exits 3\nexpect output is exactly ""'
    proof = proved(TAKES_A_READER_ALONG, scenario(script))
    assert proof.standing is Standing.LOST, proof.words
    assert proof.losing < proof.schedules


def test_a_loss_happens_again_by_its_schedule(begin: Begin, proved: Prover) -> None:
    text = RACY.replace("PARENT_AFTER_FORK", "").replace("AFTER_FORK", "")
    play = scenario(AT_ANY_MOMENT, ("sleep", "infinity"))
    loss = proved(text, play).loss
    assert loss is not None
    rehearsals = begin(text, play)
    rehearsals.grain = loss.replay.grain
    again = rehearsals.rehearse(loss.replay.moves)
    assert again.verdict is not None
    assert (again.verdict.status, again.verdict.message) == (Status.FAILED, loss.verdict.message)


LOOKS_AT_THE_CLOCK = """
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
static struct timespec now(void) {
    struct timespec moment;
    clock_gettime(CLOCK_MONOTONIC, &moment);
    return moment;
}
static int follows(struct timespec late, struct timespec early, long seconds) {
    return late.tv_sec == early.tv_sec + seconds && late.tv_nsec == early.tv_nsec;
}
int main(int count, char **arguments) {
    (void)count;
    struct timespec first = now();
    int status, right = 1;
    for (int look = 0; look < LOOKS; look++) right &= follows(now(), first, 0);
    nanosleep(&(struct timespec){SLEEP, 0}, NULL);
    for (int look = 0; look < LOOKS; look++) right &= follows(now(), first, SLEEP);
    if (fork() == 0) {
        if (!right || !follows(now(), first, SLEEP)) _exit(99);
        execvp(arguments[1], arguments + 1);
    }
    right &= follows(now(), first, SLEEP);
    wait(&status);
    return right ? WEXITSTATUS(status) : 98;
}
"""


@pytest.mark.parametrize(("sleep", "stops"), [(0, 2), (1, 42)])
def test_who_is_alone_reads_the_clock_without_a_stop_until_time_goes_by(
    begin: Begin, monkeypatch: pytest.MonkeyPatch, sleep: int, stops: int
) -> None:
    """Python does so for each lock that it takes. After its fork each reading may be a moment for others."""
    readings = []

    def read_clock(run: object, tracee: object, call: Call) -> Onward:
        readings.append(call.name)
        return read(run, tracee, call)

    read = dispatch._HANDLERS["clock_gettime"]
    monkeypatch.setitem(dispatch._HANDLERS, "clock_gettime", read_clock)
    text = LOOKS_AT_THE_CLOCK.replace("LOOKS", "40").replace("SLEEP", str(sleep))
    rehearsed = begin(text, scenario("main exits 3\nexpect init exits 3")).rehearse([])
    assert rehearsed.verdict is not None
    assert rehearsed.verdict.status is Status.PASSED, rehearsed.verdict.message
    assert len(readings) == stops


def seen_by_main(begin: Begin, signals: int) -> set[str]:
    """What main may have seen, as digests, once so many signals have come to it."""
    words = f"send SIGRTMIN+1 to init {signals} times"
    script = f"main catches SIGRTMIN+1\nfreeze init\n{words}\nthaw init\nexpect main is alive"
    rehearsals = begin(SOLUTION, scenario(script))
    graph = explore_graph(rehearsals)
    assert graph.complete and not graph.learned.doubts
    ends = [graph.situation(key).state for key in graph.terminals]
    return {place_of(state, "P.1").seen for state in ends}


def test_an_actor_knows_which_signals_have_come_and_not_how_often_it_has_asked(
    begin: Begin,
) -> None:
    """One by one, or two at once: when it waits for orders again, it is the same."""
    once, twice = seen_by_main(begin, 1), seen_by_main(begin, 2)
    assert len(once) == len(twice)
    assert not once & twice


def verdicts_of(graph_or_plays: list[object]) -> set[object]:
    return {script.verdict for script in graph_or_plays if isinstance(script, Script)}


@pytest.mark.parametrize(
    "name",
    ["01_as_long_as_main", "45_signal_while_stopped", "28_arguments", "61_ignored_and_blocked"],
)
def test_what_is_learned_agrees_with_a_real_play_for_each_schedule(begin: Begin, name: str) -> None:
    rehearsals = begin(SOLUTION, of_lab(name))
    played: list[Played] = []
    found = every_schedule(_Kept(rehearsals, played))
    graph = explore_graph(begin(SOLUTION, of_lab(name)), waits_after_calls=True)
    assert graph.complete
    assert not graph.learned.doubts
    assert graph.schedules() == found.schedules
    learned = [graph.situation(key).state[SCRIPT] for key in graph.terminals]
    assert verdicts_of(learned) == verdicts_of([play.last_state[SCRIPT] for play in played])


class _Kept(Rehearsals):
    """The same rehearsals, and what was played is kept."""

    def __init__(self, rehearsals: Rehearsals, kept: list[Played]) -> None:
        self.__dict__.update(rehearsals.__dict__)
        self._kept = kept

    def rehearse(self, steps: Sequence[Move]) -> Rehearsed:
        found = super().rehearse(steps)
        self._kept.append(found.played)
        return found


def test_each_way_to_an_end_comes_to_the_verdict_that_was_foreseen(begin: Begin) -> None:
    """Of a program that passes in some schedules and fails in others."""
    text = RACY.replace("PARENT_AFTER_FORK", "").replace("AFTER_FORK", "")
    rehearsals = begin(text, scenario(AT_ANY_MOMENT, ("sleep", "infinity")))
    graph = explore_graph(rehearsals)
    while rehearsals.are_void:
        rehearsals.begin_anew()
        graph = explore_graph(rehearsals)
    assert graph.complete
    verdicts = set()
    for key in graph.terminals:
        foreseen = graph.situation(key).state[SCRIPT]
        seen = rehearsals.rehearse(real_steps(graph.learned.way_to(graph.situation(key)))).verdict
        assert isinstance(foreseen, Script)
        assert seen is not None
        assert foreseen.verdict == (str(seen.status), seen.failed_step)
        verdicts.add(seen.status)
    assert verdicts == {Status.PASSED, Status.FAILED}


def test_who_polls_is_not_proved(proved: Prover) -> None:
    text = """
#include <sys/wait.h>
#include <unistd.h>
int main(int count, char **arguments) {
    (void)count;
    pid_t command = fork();
    if (command == 0) { execvp(arguments[1], arguments + 1); _exit(127); }
    for (int status;;) {
        if (waitpid(command, &status, WNOHANG) > 0) return WEXITSTATUS(status);
        usleep(1000);
    }
}
"""
    proof = proved(text, scenario("main exits 3\nexpect init exits 3"), seconds=5.0)
    assert proof.standing is Standing.OPEN
    assert proof.words.startswith("not known: ")


def test_what_cannot_be_proved_is_searched_for_a_loss_for_a_tenth_of_the_time(
    proved: Prover, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here each play takes a second."""
    monkeypatch.setattr(Rehearsals, "now", lambda plays: float(plays.runs))
    waits = "int number = sigwaitinfo(every_signal, NULL);"
    polls = (
        "int number = sigtimedwait(every_signal, NULL, &(struct timespec){.tv_nsec = 100000000});"
    )
    assert waits in SOLUTION
    poller = SOLUTION.replace(waits, polls)
    proof = proved(poller, scenario(AT_ANY_MOMENT), seconds=60.0)
    assert proof.standing is Standing.OPEN
    assert proof.plays < 20


def test_long_rows_are_tried_with_shorter_ones(proved: Prover) -> None:
    script = "main forks w1..w10\nw1..w10 fork c1..c10\nw1..w10 exit 0\nc1..c10 exit 0\n"
    long = scenario(f"{script}expect c1..c10 are reaped\nmain exits 0\nexpect init exits 0")
    small = shortened(long)
    assert small is not None
    assert small.script.splitlines()[1] == f"w1..w{SHORT} fork c1..c{SHORT}"
    proof = proved(SOLUTION, long, seconds=8.0)
    assert proof.standing in (Standing.IN_SMALL, Standing.OPEN)
    if proof.standing is Standing.IN_SMALL:
        assert proof.words.endswith(f"with {SHORT} in a row")


def test_a_row_that_forks_has_no_more_schedules_than_one(proved: Prover) -> None:
    """They do it in turn. (That the children may then die in all orders is another matter.)"""
    row = "main forks w1..w3\nw1..w3 fork c1..c3\nexpect c1..c3 are alive"
    one = "main forks w1\nw1 forks c1\nexpect c1 is alive"
    assert proved(SOLUTION, scenario(row)).schedules == proved(SOLUTION, scenario(one)).schedules


def in_small(name: str) -> Scenario:
    small = shortened(of_lab(name))
    assert small is not None
    return small


@pytest.mark.slow
@pytest.mark.parametrize("name", ["08_burst", "09_burst_with_main"])
def test_the_solution_is_right_with_short_rows(proved: Prover, name: str) -> None:
    proof = proved(SOLUTION, in_small(name))
    assert proof.standing is Standing.PROVED, proof.words


@pytest.mark.parametrize(
    "collected",
    ["static int many; if (++many == 3) pause();", "if (child < last) pause(); last = child;"],
    ids=["treats the third one otherwise", "needs them in the order of their births"],
)
def test_no_orphan_of_a_row_is_taken_for_another_one(proved: Prover, collected: str) -> None:
    """All may be equal for the script, and not for the program."""
    waits = "while ((child = waitpid(-1, &wait_status, WNOHANG)) > 0) {"
    assert waits in SOLUTION
    text = SOLUTION.replace(waits, f"static pid_t last; {waits} {collected} (void)last;")
    proof = proved(text, in_small("08_burst"))
    assert proof.standing is Standing.LOST, proof.words


def test_each_part_of_a_row_that_is_spoken_of_alone_has_somebody_left() -> None:
    small = shortened(of_lab("09_burst_with_main"))
    assert small is not None
    assert "child1..child2 exit 1\nmain exits 5\nchild3..child3 exit 1" in small.script


TWO_PARTS = "main forks w1..w20\nw1..w10 exit 1\n{}w11..w20 exit 2\nexpect init is alive"


@pytest.mark.parametrize(
    "script",
    [
        "main forks w1..w9\nw7 exits 0\nexpect w7 is a zombie",
        TWO_PARTS.format("w3 ignores SIGTERM\n"),  # w3 would be one of the others
        'main forks w1..w9\nw1..w9 say "hi"\nexpect output "hi"',
        "main forks w1..w8\nw1..w2 exit 1\nw3..w4 exit 2\nw5..w6 exit 3\nw7..w8 exit 4\nexpect init is alive",
    ],
)
def test_what_needs_all_of_its_actors_is_not_shortened(script: str) -> None:
    assert shortened(scenario(TWO_PARTS.format(""))) is not None  # with nobody alone
    assert shortened(scenario(script)) is None
    assert shortened(of_lab("02_orphan")) is None


def test_a_row_that_the_script_does_not_make_is_not_shortened() -> None:
    """Its server is told to run fifty, in words that we do not read."""
    fifty = next(
        one for one in load_lab("zombie_hunt").scenarios if one.name == "11_fifty_die_at_once"
    )
    assert shortened(fifty) is None


def test_a_busy_machine_knows_as_much_of_a_program_as_an_idle_one(
    proved: Prover, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here we have no processor for most of the time, as where many others want it."""
    judge_play = playing.judge_play

    def after_others(*arguments: Any) -> Verdict:
        time.sleep(0.5)
        return judge_play(*arguments)

    monkeypatch.setattr(playing, "judge_play", after_others)
    orphan = next(one for one in LAB.scenarios if one.name == "02_orphan")
    assert proved(SOLUTION, orphan, seconds=2.0).standing is Standing.PROVED


def test_what_a_program_computes_in_its_plays_is_part_of_their_time(proved: Prover) -> None:
    slow = SOLUTION.replace(
        "int main(int argc, char *argv[]) {",
        "int main(int argc, char *argv[]) {\n"
        "    for (volatile int turns = 0; turns < 100000000;) turns = turns + 1;",
    )
    assert slow != SOLUTION
    proof = proved(slow, scenario(AT_ANY_MOMENT), seconds=2.0)
    assert proof.standing is Standing.OPEN
    assert "2 seconds on the processor were over" in proof.words
