"""A class that never was: verdicts as the judge gives them, but made by hand."""

from __future__ import annotations

from collections.abc import Sequence

from autograder.grading.records import Asked
from autograder.trial.verdict import Assessment, Hindrance, Status, Verdict
from forklab.history import History, HistoryBuilder, Process, Remark, State

ASKED = [
    Asked("01_starts_main", "The command is started", 2, "An init is there to run something."),
    Asked("02_exit_status", "init exits as main did", 3, "A container's status is its PID 1's."),
    Asked(
        "03_orphan",
        "An orphan's exit is collected",
        5,
        "Whoever loses its parent becomes PID 1's child. Without a wait its zombie stays.",
    ),
    Asked(
        "04_burst",
        "Orphans that die at once are all collected",
        5,
        "Signals are not counted: many deaths may come as one SIGCHLD.",
    ),
    Asked("05_killed", "A killed main gives 128 + n", 3, "Shells and schedulers read it this way."),
    Asked("06_term", "SIGTERM reaches main", 5, "PID 1 ignores SIGTERM unless it asks for it."),
    Asked("07_group", "The whole group gets SIGTERM", 4, "A shell's children want to know too."),
    Asked("08_idle", "init sleeps while nothing happens", 3, "A spinning PID 1 costs a processor."),
    Asked("09_not_found", "127 when the command is missing", 2, "As every shell does."),
    Asked("10_terminal", "main owns the terminal", 3, "Else an interactive shell hangs."),
    Asked("11_clean_mask", "main starts with an empty mask", 3, "A blocked SIGTERM survives exec."),
    Asked("12_stragglers", "init ends with main", 4, "It must not wait for others for ever."),
]

ORPHAN = """\
main forks worker
worker forks child
worker exits 3                      # main has not waited for it: a zombie
expect worker is a zombie
expect child is a child of init
child exits 0
expect child is reaped
expect init is alive
main exits 42
expect init exits 42
"""
BURST = """\
main forks w1..w8
w1..w8 fork g1..g8
w1..w8 exit 0
main reaps w1..w8
freeze init
g1..g8 exit 0
thaw init
expect g1..g8 are reaped
main exits 0
expect init exits 0
"""
TERM = """\
main catches SIGTERM
send SIGTERM to init
expect main gets SIGTERM 1 times
main exits 7
expect init exits 7
"""
PLAIN = "main exits 0\nexpect init exits 0\n"

WAITING = Remark(state=State.WAITING, words="waiting for any child")


def _start() -> HistoryBuilder:
    play = HistoryBuilder()
    play.start(Process("init", 1, None, reaper=True), 0)
    play.fork(Process("main", 1000, "init"), 0)
    return play


def _orphan(reaped: bool) -> History:
    play = _start()
    play.fork(Process("worker", 1001, "main"), 1)
    play.fork(Process("child", 1002, "worker"), 2)
    play.add("exit", "worker", 3, status=3)
    play.add("reparented", "child", 3, old="worker", new="init")
    play.add("exit", "child", 6, status=0)
    if reaped:
        play.add("reaped", "child", 6, by="init", status=0)
    return play.history


def _burst(reaped: int) -> History:
    play = _start()
    for number in range(1, 9):
        play.fork(Process(f"w{number}", 1000 + number, "main"), 1)
    for number in range(1, 9):
        play.fork(Process(f"g{number}", 1010 + number, f"w{number}"), 2)
    for number in range(1, 9):
        play.add("exit", f"w{number}", 3, status=0)
        play.add("reparented", f"g{number}", 3, old=f"w{number}", new="init")
        play.add("reaped", f"w{number}", 4, by="main", status=0)
    for number in range(1, 9):
        play.add("exit", f"g{number}", 6, status=0)
    for number in range(1, reaped + 1):
        play.add("reaped", f"g{number}", 7, by="init", status=0)
    return play.history


def _term(arrives: bool) -> History:
    play = _start()
    play.add("signal", "init", 2, signal="SIGTERM")
    if arrives:
        play.add("signal", "main", 2, signal="SIGTERM", sender="init")
    return play.history


def _ended(status: int) -> History:
    play = _start()
    play.add("exit", "main", 1, status=0)
    play.add("reaped", "main", 1, by="init", status=0)
    play.add("exit", "init", 2, status=status)
    return play.history


def passed(asked: Asked) -> Verdict:
    script, history = {
        "03_orphan": (ORPHAN, _orphan(True)),
        "04_burst": (BURST, _burst(8)),
        "06_term": (TERM, _term(True)),
    }.get(asked.name, (PLAIN, _ended(0)))
    return Verdict(
        asked.name,
        asked.title,
        Status.PASSED,
        asked.points,
        asked.points,
        "",
        script,
        expected=history,
        observed=history,
    )


def failed(asked: Asked) -> Verdict:
    """Four ways to fail in detail; whatever else fails, fails by a wrong exit status."""
    message, script, line, expected, observed, remarks, expected_remarks = {
        "03_orphan": (
            "child (1002) exited with 0 and stayed a zombie: your init is asleep in waitpid(1000), which "
            "waits for main alone. Orphans are PID 1's children too: wait for any child.",
            ORPHAN,
            7,
            _orphan(True),
            _orphan(False),
            {
                "init": Remark(state=State.WAITING, words="asleep in waitpid(1000)"),
                "child": Remark(unexpected="should be reaped by init"),
            },
            {"init": WAITING},
        ),
        "04_burst": (
            "Seven of eight orphans stayed zombies: your init waits once for each SIGCHLD, but eight "
            "deaths came as one signal. Call waitpid until it has nobody left to report.",
            BURST,
            8,
            _burst(8),
            _burst(1),
            {
                "init": Remark(state=State.WAITING, words="asleep in sigtimedwait"),
                **{f"g{n}": Remark(unexpected="should be reaped by init") for n in range(2, 9)},
            },
            {"init": WAITING},
        ),
        "06_term": (
            "SIGTERM was sent to init and never reached main: PID 1 has no handler for it, and the kernel "
            "drops what PID 1 has not asked for. Install a handler that passes it on.",
            TERM,
            3,
            _term(True),
            _term(False),
            {"main": Remark(unexpected="should get SIGTERM once")},
            {},
        ),
    }.get(
        asked.name,
        (
            "init exited with 1; main exited with 0, and init should exit as main did.",
            PLAIN,
            2,
            _ended(0),
            _ended(1),
            {"init": Remark(unexpected="should exit 0")},
            {},
        ),
    )
    return Verdict(
        asked.name,
        asked.title,
        Status.FAILED,
        0,
        asked.points,
        message,
        script,
        line,
        expected,
        observed,
        remarks,
        expected_remarks,
    )


def skipped(asked: Asked) -> Verdict:
    message = "Only a real PID 1 can be asked this, and this machine allows no PID namespaces."
    return Verdict(asked.name, asked.title, Status.SKIPPED, 0, asked.points, message, PLAIN)


def error(asked: Asked) -> Verdict:
    message = (
        "The actor lost its connection to the grader: this is a fault of the grader, not yours."
    )
    return Verdict(asked.name, asked.title, Status.ERROR, 0, asked.points, message, PLAIN, 1)


COMPILER = (
    "Your init did not build: `cc -O2 -o init init.c` exited with 1.\n\n"
    "init.c: In function 'main':\n"
    "init.c:17:9: error: 'pid' undeclared (first use in this function); did you mean 'pid_t'?\n"
    "   17 |         pid = fork();\n"
    "      |         ^~~"
)


def does_not_build(mode: str = "pidns") -> Assessment:
    verdicts = [
        Verdict(a.name, a.title, Status.FAILED, 0, a.points, COMPILER, PLAIN) for a in ASKED
    ]
    return Assessment("init", mode, tuple(verdicts), hindrance=Hindrance.NOT_BUILT)


def nothing_handed_in() -> Assessment:
    why = "Nothing was handed in for this lab: the folder init does not exist."
    verdicts = [Verdict(a.name, a.title, Status.FAILED, 0, a.points, why, PLAIN) for a in ASKED]
    return Assessment("init", "", tuple(verdicts), hindrance=Hindrance.NOTHING)


def assessment(
    fails: Sequence[str] = (),
    errs: Sequence[str] = (),
    skips: Sequence[str] = (),
    mode: str = "pidns",
) -> Assessment:
    """All pass but the scenarios whose number ("03") is given."""

    def verdict(asked: Asked) -> Verdict:
        for numbers, make in ((fails, failed), (errs, error), (skips, skipped)):
            if asked.name[:2] in numbers:
                return make(asked)
        return passed(asked)

    return Assessment("init", mode, tuple(verdict(asked) for asked in ASKED))


CLASS = {
    "ada": assessment(),
    "ben": assessment(fails=["03", "04"]),
    "chen wei": assessment(fails=["04"], mode="subreaper", skips=["06", "10"]),
    "dora": does_not_build(),
    "emil": assessment(fails=["02", "03", "04", "05", "06", "07", "08", "11"]),
    "fatima": assessment(errs=["10"]),
    "Gödel": assessment(fails=["06", "07"]),
    "<script>alert('h')</script>": assessment(fails=["04"]),
}
