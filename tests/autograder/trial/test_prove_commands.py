"""`prove`, of programs that are started as ordinary commands, below an init of ours."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from lost_wakeup import LOOKS_AND_THEN_SLEEPS

from autograder.labs.lab import Lab, load_lab
from autograder.labs.scenario import Scenario
from autograder.labs.shortened import shortened
from autograder.language.roles import PIDNS, VIRTUAL
from autograder.language.script import parse
from autograder.stage.isolation import probe
from autograder.trial.assess import ready
from autograder.trial.proof import Proof, Standing

EXIT_STATUS, TIMEOUT = load_lab("exit_status"), load_lab("timeout")
FORK_TREE, SHELL, ZOMBIE_HUNT = map(load_lab, ("fork_tree", "shell", "zombie_hunt"))

Prove = Callable[[Lab, Path, Scenario], Proof]


@pytest.fixture
def proved() -> Iterator[Prove]:
    """`proved(lab, submission, scenario)`, over every schedule."""
    if probe().mode != PIDNS:
        pytest.skip(probe().why)
    with contextlib.ExitStack() as opened:

        def prove(lab: Lab, submission: Path, scenario: Scenario) -> Proof:
            built = opened.enter_context(ready(lab, submission, VIRTUAL))
            return opened.enter_context(contextlib.closing(built.bench())).prove(scenario, 60.0)

        yield prove


def of_lab(lab: Lab, name: str) -> Scenario:
    return next(one for one in lab.scenarios if one.name == name)


def with_script(scenario: Scenario, script: str) -> Scenario:
    subject = scenario.bill.subject.name
    return replace(scenario, name="a play", script=script, steps=tuple(parse(script, subject)))


def submitted(folder: Path, lab: Lab, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / f"{lab.program}.c").write_text(text)
    return folder


@pytest.mark.parametrize(
    ("lab", "name"),
    [
        (EXIT_STATUS, "10_again_and_again"),
        (TIMEOUT, "02_time_is_up"),
        (FORK_TREE, "04_the_last_one_first"),
    ],
)
def test_the_solution_is_right_in_all_schedules(proved: Prove, lab: Lab, name: str) -> None:
    proof = proved(lab, lab.folder / "solution/c", of_lab(lab, name))
    assert proof.standing is Standing.PROVED, proof.words


# Both are there, and which of them is called sleepy-2 is for the scheduler to say.
TWICE_AT_ONCE = """
freeze server
type "run sleepy\\nrun sleepy"
thaw server
expect sleepy-2 is alive
sleepy-2 exits 3
expect sleepy-2 is reaped
expect output in any order "sleepy started\\nsleepy started\\nsleepy exited with 3"
end the input
sleepy exits 0
expect server exits 0
"""


def test_two_runs_of_one_command_are_told_apart_in_each_order(proved: Prove) -> None:
    play = with_script(of_lab(ZOMBIE_HUNT, "07_twice_the_same"), TWICE_AT_ONCE)
    proof = proved(ZOMBIE_HUNT, ZOMBIE_HUNT.folder / "solution/c", play)
    assert proof.standing is Standing.PROVED, proof.words


# One SIGCHLD may tell of two deaths.
LOSES_AN_END = """
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
static void collect(int number) { (void)number; wait(0); }
int main(void) {
    signal(SIGCHLD, collect);
    char line[64];
    while (fgets(line, sizeof line, stdin)) {
        line[10] = 0;
        if (fork() == 0) { execlp(line + 4, line + 4, (char *)0); _exit(127); }
    }
    while (wait(0) > 0) { }
    return 0;
}
"""


def test_a_zombie_is_found_that_is_left_when_two_die_at_once(proved: Prove, tmp_path: Path) -> None:
    script = """
type run sleep1
type run sleep2
expect sleep1..sleep2 are alive
sleep1..sleep2 exit 0
expect sleep1..sleep2 are reaped
"""
    play = of_lab(ZOMBIE_HUNT, "06_the_second_ends_first")
    play = replace(play, bill=replace(play.bill, commands=("sleep1", "sleep2")))
    play = with_script(play, script)
    proof = proved(ZOMBIE_HUNT, submitted(tmp_path, ZOMBIE_HUNT, LOSES_AN_END), play)
    assert proof.standing is Standing.LOST, proof.words
    assert proof.loss is not None and proof.loss.verdict.failed_step == 6


@pytest.mark.parametrize(
    ("lab", "name"),
    [
        (FORK_TREE, "05_fan_of_twelve"),
        (ZOMBIE_HUNT, "11_fifty_die_at_once"),
        (load_lab("orphanage"), "25_all_at_once"),
    ],
)
def test_a_row_is_as_long_as_it_is_where_what_comes_of_it_is_told_in_words(
    lab: Lab, name: str
) -> None:
    assert shortened(of_lab(lab, name)) is None


def test_who_looks_and_then_sleeps_is_found_out(proved: Prove, tmp_path: Path) -> None:
    text = LOOKS_AND_THEN_SLEEPS
    play = with_script(of_lab(TIMEOUT, "01_in_time"), "main exits 7\nexpect timeout exits 7")
    proof = proved(TIMEOUT, submitted(tmp_path, TIMEOUT, text), play)
    assert proof.standing is Standing.PROVED, proof.words  # all is quiet before main ends
    play = replace(play, command=("true",), bill=replace(play.bill, run=("{program}", "9", "true")))
    play = with_script(play, "expect timeout exits 0")
    proof = proved(TIMEOUT, submitted(tmp_path, TIMEOUT, text), play)
    assert proof.standing is Standing.LOST, proof.words
    assert proof.loss is not None
    assert proof.loss.history.process("timeout")


@pytest.mark.parametrize(("seconds", "waited_for"), [(4, True), (6, False)])
def test_nobody_is_waited_for_who_sleeps_longer_than_the_script_is_patient(
    proved: Prove, tmp_path: Path, seconds: int, waited_for: bool
) -> None:
    text = f"#include <unistd.h>\nint main(void) {{ sleep({seconds}); return 3; }}"
    play = with_script(
        of_lab(TIMEOUT, "17_no_command"),
        "expect timeout exits 3" if waited_for else "expect timeout is alive",
    )
    proof = proved(TIMEOUT, submitted(tmp_path, TIMEOUT, text), play)
    assert proof.standing is Standing.PROVED, proof.words
    assert proof.timed is waited_for


# A shell whose jobs are in its own group, but for those that shall be in the background.
READS_A_TERMINAL = """
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
int main(void) {
    signal(SIGINT, SIG_IGN);
    char line[64];
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\\n")] = 0;
        char *behind = strchr(line, '&');
        if (behind) *behind = 0;
        pid_t child = fork();
        if (child == 0) {
            if (behind) setpgid(0, 0);
            signal(SIGINT, SIG_DFL);
            execlp(line, line, (char *)0);
            _exit(127);
        }
        int status;
        waitpid(child, &status, WUNTRACED);
        printf("%s\\n", strsignal(WIFSTOPPED(status) ? WSTOPSIG(status) : WTERMSIG(status)));
        fflush(stdout);
    }
    return 0;
}
"""
AT_A_TERMINAL = [
    "type one\nexpect one is alive\npress ^C\nexpect one is reaped\nexpect output Interrupt",
    "type one&\none reads\nexpect one is stopped\nexpect output Stopped (tty input)",
    "type one\none reads\ntype hello\nexpect one reads hello\ntype bye\none reads\nexpect one reads bye",
]


@pytest.mark.parametrize("script", AT_A_TERMINAL, ids=["a key", "no input", "input"])
def test_what_is_typed_at_a_terminal_is_followed(
    proved: Prove, tmp_path: Path, script: str
) -> None:
    play = with_script(of_lab(SHELL, "05_in_the_background"), script)
    proof = proved(SHELL, submitted(tmp_path, SHELL, READS_A_TERMINAL), play)
    assert proof.standing is Standing.PROVED, proof.words


TWO_READ = """
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
int main(void) {
    char line[9];
    const char *who = fork() ? "parent\\n" : "child\\n";
    if (read(0, line, sizeof line) > 0) write(1, who, strlen(who));
    pause();
}
"""


@pytest.mark.parametrize("reader", ["parent", "child"])
def test_any_of_two_gets_the_line_for_which_both_wait(
    proved: Prove, tmp_path: Path, reader: str
) -> None:
    script = f"type x\nexpect output is exactly {reader}\nexpect server is alive"
    play = with_script(of_lab(ZOMBIE_HUNT, "01_starts"), script)
    proof = proved(ZOMBIE_HUNT, submitted(tmp_path, ZOMBIE_HUNT, TWO_READ), play)
    assert proof.standing is Standing.LOST, proof.words


# The kernel closes what a process has open before anybody can tell that it has ended.
AT_THE_END_OF_ITS_FILE = """
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int count, char **arguments) {
    int ends[2], status = 0;
    char letter;
    if (count < 3 || pipe(ends)) return 125;
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    pid_t child = fork();
    if (child == 0) { execvp(arguments[2], arguments + 2); _exit(127); }
    close(ends[1]);
    if (read(ends[0], &letter, 1) != 0) return 125;
    if (waitpid(child, &status, OPTIONS) != child) return 124;
    return WEXITSTATUS(status);
}
"""


@pytest.mark.parametrize(
    ("options", "standing"), [("WNOHANG", Standing.LOST), ("0", Standing.PROVED)]
)
def test_who_asks_once_at_the_end_of_a_file_may_ask_too_early(
    proved: Prove, tmp_path: Path, options: str, standing: Standing
) -> None:
    text = AT_THE_END_OF_ITS_FILE.replace("OPTIONS", options)
    play = with_script(of_lab(TIMEOUT, "01_in_time"), "main exits 7\nexpect timeout exits 7")
    proof = proved(TIMEOUT, submitted(tmp_path, TIMEOUT, text), play)
    assert proof.standing is standing, proof.words
    if proof.loss is not None:
        assert "main closes all that is open" in proof.loss.steps


def test_whose_exit_is_held_has_not_closed_anything(proved: Prove, tmp_path: Path) -> None:
    text = """
    #include <sys/wait.h>
    #include <unistd.h>
    int main(void) {
        int ends[2];
        char letter;
        if (pipe(ends)) return 9;
        if (fork() == 0) _exit(0);
        close(ends[1]);
        if (read(ends[0], &letter, 1) == 0) write(1, "end\\n", 4);
        while (waitpid(-1, NULL, WNOHANG) == 0) pause();
        return 0;
    }
    """
    script = """
    hold every exit
    expect tree forks child
    expect child is alive
    expect output is exactly ""
    let child exit
    expect output is exactly end
    """
    play = with_script(of_lab(FORK_TREE, "02_one_child"), script)
    proof = proved(FORK_TREE, submitted(tmp_path, FORK_TREE, text), play)
    assert proof.standing is Standing.PROVED, proof.words


def test_of_a_play_that_lets_time_pass_nothing_is_said(proved: Prove) -> None:
    """There nobody waits: what has to come by then would be missed in all schedules."""
    lab = TIMEOUT
    script = "let 2s pass\nexpect timeout is alive"
    play = with_script(of_lab(lab, "02_time_is_up"), script)
    proof = proved(lab, lab.folder / "solution/c", play)
    assert proof.standing is Standing.SKIPPED
    assert "it lets time pass" in proof.words
