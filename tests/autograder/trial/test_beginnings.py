"""How init is started is what the script says, in both modes; and what it hands on is read from the kernel."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from autograder.labs.lab import load_lab
from autograder.language.script import parse
from autograder.stage.errors import UnableError
from autograder.stage.sandbox import Sandbox
from autograder.trial.assess import assess
from autograder.trial.verdict import Status, Verdict

LAB = load_lab("init")
SOLUTION = LAB.folder / "solution" / "c"

# Correct in all that is asked of it here: its one child is made by vfork(2) inside posix_spawn(3).
SPAWNS = r"""
#define _GNU_SOURCE
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
extern char **environ;
int main(int argc, char **argv) {
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &all, NULL);
    posix_spawnattr_t how;
    posix_spawnattr_init(&how);
    posix_spawnattr_setflags(&how, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setsigmask(&how, &none);
    pid_t child;
    if (argc < 2 || posix_spawnp(&child, argv[1], NULL, &how, argv + 1, environ) != 0)
        return 2;
    for (;;) {
        int number = sigwaitinfo(&all, NULL), status;
        if (number != SIGCHLD)
            kill(-child, number);
        else if (waitpid(child, &status, WNOHANG) == child)
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
}
"""

SECOND_THREAD = """
#include <pthread.h>
static char **given;
static void *second(void *none) {
    int count = 0;
    while (given[count] != NULL)
        count++;
    exit(none == NULL ? work(count, given) : 99);
}
int main(int argc, char **argv) {
    (void)argc;
    given = argv;
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    pthread_t thread;
    pthread_create(&thread, NULL, second, NULL);
    %s;
}
"""


def judged(submission: Path, script: str, **changes: object) -> Verdict:
    text = script.replace("; ", "\n")
    scenario = replace(LAB.scenarios[0], script=text, steps=tuple(parse(text)), **changes)
    mode = changes.get("modes", (None,))[0]
    [verdict] = assess(LAB, submission, mode=mode, scenarios=[scenario]).verdicts
    return verdict


def changed(folder: Path, before: str, after: str) -> Path:
    """The solution with one line changed."""
    text = (SOLUTION / "init.c").read_text()
    assert text.count(before) == 1
    (folder / "init.c").write_text(text.replace(before, after))
    return folder


def test_what_main_finds_changed_is_told_with_what_it_should_be(tmp_path: Path, mode: str) -> None:
    execs = "    execvp(command[0], command);"
    script = "init starts with {0}; expect main starts with {0}"
    for begin, change, message in (
        (
            "COLOUR=green",
            'unsetenv("COLOUR");',
            "with no variable COLOUR instead of with COLOUR=green",
        ),
        ("umask 027", "umask(0);", "with umask 000 instead of with umask 027"),
        ("nice value 3", "nice(1);", "with nice value 4 instead of with nice value 3"),
    ):
        folder = changed(tmp_path, execs, f"    {change}\n{execs}")
        text = (folder / "init.c").read_text()
        (folder / "init.c").write_text(f"#define _GNU_SOURCE\n#include <sys/stat.h>\n{text}")
        verdict = judged(folder, script.format(begin), modes=(mode,))
        assert verdict.status is Status.FAILED
        assert f"main (1000) started {message}." in verdict.message
        assert judged(SOLUTION, script.format(begin), modes=(mode,)).status is Status.PASSED


def test_a_folder_is_the_same_by_whatever_name(mode: str) -> None:
    script = "init starts in /usr/bin/..; expect main starts in /usr/bin/.."
    assert judged(SOLUTION, script, modes=(mode,)).status is Status.PASSED


def test_dev_null_is_no_leak_where_init_was_given_nothing(tmp_path: Path, mode: str) -> None:
    begins = "    int terminal = foreground_terminal();"
    opens = begins + '\n    while (open("/dev/null", O_RDWR) < STDERR_FILENO) {\n    }'
    folder = changed(tmp_path, begins, opens)
    text = (folder / "init.c").read_text()
    (folder / "init.c").write_text(f"#include <fcntl.h>\n{text}")
    script = (
        "init starts without standard input; init starts without standard output; "
        "init starts without standard error; expect main starts clean"
    )
    assert judged(folder, script, modes=(mode,)).status is Status.PASSED


@pytest.mark.parametrize("number", ["once", "again"])
def test_who_leaves_the_group_to_its_child_loses_the_signal_each_time(
    tmp_path: Path, mode: str, number: str
) -> None:
    folder = changed(tmp_path, "    setpgid(command, command);\n", "")
    script = "freeze main after the fork; send SIGTERM to init; thaw main; expect init exits 143"
    verdict = judged(folder, script, modes=(mode,), command=("sleep", "infinity"))
    assert (verdict.status, verdict.failed_step) == (Status.FAILED, 4)


def test_who_spawns_is_never_between_fork_and_exec(tmp_path: Path, mode: str) -> None:
    (tmp_path / "init.c").write_text(SPAWNS)
    late = "freeze main after the fork; send SIGTERM to init; thaw main; expect init exits 143"
    verdict = judged(tmp_path, late, modes=(mode,), command=("sleep", "infinity"))
    assert verdict.status is Status.PASSED
    first = "freeze init after the fork; thaw init; main exits 3; expect init exits 3"
    assert judged(tmp_path, first, modes=(mode,)).status is Status.PASSED


@pytest.mark.parametrize("first_thread", ["pthread_exit(NULL)", "pthread_join(thread, NULL)"])
def test_whichever_thread_forks_it_is_frozen_between_fork_and_exec(
    tmp_path: Path, mode: str, first_thread: str
) -> None:
    late = "freeze main after the fork; send SIGTERM to init; thaw main; expect init exits 143"
    first = "freeze init after the fork; thaw init; main exits 3; expect init exits 3"
    sets_group = "    setpgid(command, command);\n"
    for solution, expected in ((sets_group, Status.PASSED), ("", Status.FAILED)):
        folder = tmp_path / expected.value
        folder.mkdir()
        in_its_second_thread(changed(folder, sets_group, solution), first_thread)
        verdict = judged(folder, late, modes=(mode,), command=("sleep", "infinity"))
        assert verdict.status is expected, verdict.message
        assert expected is Status.PASSED or verdict.failed_step == 4
        assert judged(folder, first, modes=(mode,)).status is Status.PASSED


def in_its_second_thread(folder: Path, first_thread: str) -> None:
    """What the init there does, it does in its second thread; this is what the first one does meanwhile."""
    text = (folder / "init.c").read_text()
    (folder / "init.c").unlink()
    text = text.replace(
        "int main(int argc, char *argv[])", "static int work(int argc, char **argv)"
    )
    (folder / "work.c").write_text(text + SECOND_THREAD % first_thread)
    (folder / "Makefile").write_text("init: work.c\n\tcc -pthread -o $@ $<\n")


def test_who_stops_for_its_tracer_before_the_fork_is_not_at_rest(tmp_path: Path, mode: str) -> None:
    """Each signal that comes to a traced process stops it for a moment."""
    forks = "    pid_t command = fork();"
    signals = "    for (int n = 0; n < 500; n++) raise(SIGURG);"
    unblocked = f"    sigset_t urgent; sigemptyset(&urgent); sigaddset(&urgent, SIGURG);\n{signals}"
    unblocked = unblocked.replace(
        signals, f"    sigprocmask(SIG_UNBLOCK, &urgent, NULL);\n{signals}"
    )
    folder = changed(tmp_path, forks, f"{unblocked}\n{forks}")
    text = (folder / "init.c").read_text().replace("    setpgid(command, command);\n", "")
    (folder / "init.c").write_text(text)
    script = "freeze main after the fork; send SIGTERM to init; thaw main; expect init exits 143"
    for _ in range(5):
        verdict = judged(folder, script, modes=(mode,), command=("sleep", "infinity"))
        assert (verdict.status, verdict.failed_step) == (Status.FAILED, 4)


def test_an_init_that_stops_itself_before_the_fork_is_not_waited_for(tmp_path: Path) -> None:
    """PID 1 of a namespace cannot."""
    forks = "    pid_t command = fork();"
    folder = changed(tmp_path, forks, f"    raise(SIGSTOP);\n{forks}")
    script = "freeze init after the fork; thaw init; main exits 3; expect init exits 3"
    verdict = judged(folder, script, modes=("subreaper",))
    assert verdict.status is Status.FAILED
    assert "never started its command: it is stopped" in verdict.message


def test_an_init_that_starts_nothing_is_not_waited_for_in_vain(tmp_path: Path, mode: str) -> None:
    (tmp_path / "init.c").write_text("#include <unistd.h>\nint main(void) { return pause(); }")
    script = "freeze init after the fork; thaw init; main exits 3; expect init exits 3"
    verdict = judged(tmp_path, script, modes=(mode,))
    assert "never started its command: it is asleep in pause" in verdict.message


def test_where_nobody_may_trace_a_play_is_skipped_that_freezes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise UnableError("this machine does not let us trace")

    monkeypatch.setattr(Sandbox, "open_play", _unless_it_builds(refuse))
    verdict = judged(SOLUTION, "freeze init after the fork; thaw init; expect init is alive")
    assert verdict.status is Status.SKIPPED
    assert "does not let us trace" in verdict.message


def _unless_it_builds(refuse: object) -> object:
    real = Sandbox.open_play

    def open_play(self: Sandbox, *arguments: object, **how: object) -> int:
        open_it = real if self.given is not None or not how.get("settings") else refuse
        return open_it(self, *arguments, **how)

    return open_play


def test_a_hundred_signals_more_are_as_many_as_were_sent(mode: str) -> None:
    script = "main catches SIGRTMAX; send SIGRTMAX to init 150 times; expect main gets SIGRTMAX 150 times"
    assert judged(SOLUTION, script, modes=(mode,)).status is Status.PASSED


def test_who_misses_some_of_every_signal_is_told_which(tmp_path: Path, mode: str) -> None:
    folder = changed(
        tmp_path,
        "            kill(-command, number);",
        "            if (number != SIGILL && number != SIGRTMAX) kill(-command, number);",
    )
    script = "main catches every signal; send every signal to init; expect main gets every signal"
    verdict = judged(folder, script, modes=(mode,))
    assert "main (1000) did not get SIGILL, SIGRTMAX." in verdict.message


@pytest.mark.parametrize(("leave", "status"), [("exit", Status.FAILED), ("_exit", Status.PASSED)])
def test_exit_handlers_of_a_child_are_noticed_and_of_nobody_else(
    tmp_path: Path, mode: str, leave: str, status: Status
) -> None:
    folder = changed(tmp_path, "    _exit(status);", f"    {leave}(status);")
    script = "init starts with an exit handler; expect init exits {}; expect the exit handler runs in init alone"
    missing = judged(folder, script.format(127), modes=(mode,), command=("no-such-command",))
    assert missing.status is status
    # A command may have exit handlers, and children that run them.
    command = ("sh", "-c", "(exit 3); sh -c 'exit 4'; exit 5")
    assert judged(folder, script.format(5), modes=(mode,), command=command).status is Status.PASSED
