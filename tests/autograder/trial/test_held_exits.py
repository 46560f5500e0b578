"""Where every exit is held, a family that would be gone at once stands still, and leaves when the script lets it."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.labs.lab import Lab, load_lab
from autograder.labs.scenario import load_scenario
from autograder.stage.isolation import probe
from autograder.stage.sandbox import Sandbox
from autograder.trial.assess import assess
from autograder.trial.verdict import Status, Verdict

WAITS = r"""
#include <sys/wait.h>
#include <unistd.h>
int main(void) {
    for (int i = 0; i < 2; i++)
        if (fork() == 0)
            _exit(i + 7);
    while (wait(NULL) > 0) {
    }
    return 2;
}
"""
LEAVES = WAITS.replace("    while (wait(NULL) > 0) {\n    }\n", "")
WAKES = WAITS.replace(
    "    while",
    "    for (int i = 0; i < 100; i++) {\n"
    "        sleep(0);\n        kill(0, SIGCONT);\n    }\n    while",
).replace("#include <unistd.h>", "#include <signal.h>\n#include <unistd.h>")

BY_A_CALL_OF_ITS_OWN = WAITS.replace("_exit(i + 7)", "syscall(SYS_exit, i + 7)").replace(
    "#include", "#define _GNU_SOURCE\n#include <sys/syscall.h>\n#include", 1
)
AFTER_A_STOP = WAITS.replace("_exit(i + 7)", "raise(SIGSTOP), _exit(i + 7)").replace(
    "#include", "#include <signal.h>\n#include", 1
)

FAMILY = "hold every exit; expect parent forks child1..child2"


@pytest.fixture
def mode(any_mode: str) -> str:
    """All that stands here holds in virtual time, too."""
    return any_mode


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    folder = tmp_path_factory.mktemp("labs") / "family"
    (folder / "scenarios").mkdir(parents=True)
    (folder / "lab.toml").write_text(
        'title = "A family"\nrole = "command"\nprogram = "parent"\nrun = ["{parent}"]\nexpected = "none"\n'
    )
    (folder / "scenarios" / "01.toml").write_text(
        'title = "It ends"\npoints = 1\nwhy = "It does."\nscript = "expect parent exits 2"\n'
    )
    return load_lab(folder)


def judged(lab: Lab, mode: str, folder: Path, source: str, script: str) -> Verdict:
    (folder / "parent.c").write_text(source)
    path = folder / "scenario.toml"
    text = script.replace("; ", "\n")
    path.write_text(f"title = 'A'\npoints = 1\nwhy = 'B'\nscript = '''\n{text}\n'''\n")
    scenario = load_scenario(path, lab.bill)
    path.unlink()
    [verdict] = assess(lab, folder, mode=mode, scenarios=[scenario]).verdicts
    return verdict


def test_who_would_be_gone_can_be_named_counted_and_let_go_one_by_one(
    lab: Lab, mode: str, tmp_path: Path
) -> None:
    script = (
        f"{FAMILY}; expect parent has 2 children; expect child1..child2 are alive; "
        "let child2 exit; expect child2 exits 8; expect child2 is reaped; "
        "expect parent has 1 child; expect child1 is alive; "
        "let child1 exit; expect child1 exits 7; expect child1 is reaped; "
        "expect parent is alive; let parent exit; expect parent exits 2; expect nobody is left"
    )
    assert judged(lab, mode, tmp_path, WAITS, script).status is Status.PASSED


def test_whoever_ends_its_last_thread_is_held_as_well(lab: Lab, mode: str, tmp_path: Path) -> None:
    """As programs do that go without a C library."""
    script = f"{FAMILY}; expect child1 is alive; let child1 exit; expect child1 exits 7"
    assert judged(lab, mode, tmp_path, BY_A_CALL_OF_ITS_OWN, script).status is Status.PASSED


def test_whoever_has_stopped_itself_is_not_woken_by_it(lab: Lab, mode: str, tmp_path: Path) -> None:
    script = f"{FAMILY}; let child1..child2 exit; expect child1 is stopped"
    assert judged(lab, mode, tmp_path, AFTER_A_STOP, script).status is Status.PASSED


def test_a_parent_that_does_not_wait_is_found_at_its_own_exit(
    lab: Lab, mode: str, tmp_path: Path
) -> None:
    script = f"{FAMILY}; let child1 exit; expect child1 is reaped"
    verdict = judged(lab, mode, tmp_path, LEAVES, script)
    assert verdict.status is Status.FAILED
    assert "child1 (1000) exited with 7 and stayed a zombie" in verdict.message
    assert "parent is about to exit with 2." in verdict.message


def test_nobody_has_exited_who_is_held(lab: Lab, mode: str, tmp_path: Path) -> None:
    verdict = judged(lab, mode, tmp_path, WAITS, f"{FAMILY}; expect child1 exits 7")
    assert verdict.status is Status.FAILED
    assert "is about to exit with 7" in verdict.message


def test_who_may_exit_before_it_wants_to_is_not_held(lab: Lab, mode: str, tmp_path: Path) -> None:
    script = f"{FAMILY}; let parent exit; let child1..child2 exit; expect parent exits 2"
    assert judged(lab, mode, tmp_path, WAITS, script).status is Status.PASSED


def test_the_subject_cannot_wake_who_is_held(lab: Lab, mode: str, tmp_path: Path) -> None:
    script = f"{FAMILY}; expect parent has 2 children; expect child1..child2 are alive"
    assert judged(lab, mode, tmp_path, WAKES, script).status is Status.PASSED


def test_a_signal_kills_who_is_held(lab: Lab, mode: str, tmp_path: Path) -> None:
    script = (
        f"{FAMILY}; send SIGKILL to child1; expect child1 dies by SIGKILL; expect child1 is reaped"
    )
    assert judged(lab, mode, tmp_path, WAITS, script).status is Status.PASSED


def test_nobody_is_shown_as_stopped_who_is_held(lab: Lab, mode: str, tmp_path: Path) -> None:
    verdict = judged(lab, mode, tmp_path, WAITS, f"{FAMILY}; expect child1 is stopped")
    assert verdict.status is Status.FAILED
    assert not [event for event in verdict.observed.events if event.kind == "stopped"]


def test_where_the_kernel_reports_no_exit_such_a_scenario_is_skipped(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_play = Sandbox.open_play
    monkeypatch.setattr(
        Sandbox, "open_play", lambda *words, **more: (open_play(*words, **more)[0], None)
    )
    script = f"{FAMILY}; expect parent is alive"
    verdict = judged(lab, probe().mode, tmp_path, WAITS, script)
    assert verdict.status is Status.SKIPPED
    assert "does not tell us who is about to exit" in verdict.message


@pytest.mark.parametrize(
    ("wanted", "said"), [(1, "has 2 children instead of 1."), (3, "has 2 children instead of 3.")]
)
def test_too_many_and_too_few_are_told(
    lab: Lab, mode: str, tmp_path: Path, wanted: int, said: str
) -> None:
    script = f"hold every exit; expect parent has {wanted} children"
    assert said in judged(lab, mode, tmp_path, WAITS, script).message


def test_a_single_child_is_told_of_in_the_singular(lab: Lab, mode: str, tmp_path: Path) -> None:
    one = WAITS.replace("i < 2", "i < 1")
    script = "hold every exit; expect parent has 2 children"
    assert "has 1 child instead of 2." in judged(lab, mode, tmp_path, one, script).message
