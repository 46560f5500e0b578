"""Plays in which the subject is no init: an ordinary command, below an init of ours, with actors on its PATH."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.labs.lab import load_lab
from autograder.stage.tools import python_for_submissions
from autograder.trial.assess import assess
from autograder.trial.verdict import Status, Verdict

LAB = """
title = "A small lab"
role = "command"
program = "boss"
run = ["{program}", "{main}"]
commands = ["sleepy"]
"""


@pytest.fixture
def mode(any_mode: str) -> str:
    """All that stands here holds in virtual time, too."""
    return any_mode


def judged(
    folder: Path,
    mode: str,
    script: str,
    program: str,
    *,
    reference: str | None = None,
    lab: str = LAB,
    keys: str = "",
) -> Verdict:
    """The verdict on a program, a script for sh(1), by one scenario; compared with `reference`, if that is given."""
    (folder / "lab/scenarios").mkdir(parents=True)
    (folder / "lab/lab.toml").write_text(lab)
    text = f"title = 't'\npoints = 1\nwhy = 'w'\n{keys}\nscript = '''\n{script}\n'''\n"
    (folder / "lab/scenarios/01.toml").write_text(text)
    if reference is not None:
        write(folder / "lab/solution/sh", reference)
    write(folder / "submission", program)
    [verdict] = assess(load_lab(folder / "lab"), folder / "submission", mode=mode).verdicts
    return verdict


def write(folder: Path, program: str) -> None:
    folder.mkdir(parents=True)
    (folder / "boss").write_text(f"#!/bin/sh\n{program}\n")
    (folder / "boss").chmod(0o755)


def passes(verdict: Verdict) -> bool:
    assert verdict.status is Status.PASSED, verdict.message
    return True


ONLY_WITHOUT_MAIN = 'run = ["{program}"]'


def test_orphans_are_reaped_by_an_init_of_ours(tmp_path: Path, mode: str) -> None:
    script = """
    main forks worker
    worker forks child
    worker exits 3
    expect worker is a zombie
    expect child is a child of init
    child exits 0
    expect child is reaped
    main reaps worker
    main exits 7
    expect boss exits 7
    """
    verdict = judged(tmp_path, mode, script, '"$@"; exit $?')
    assert passes(verdict)
    tree = verdict.observed.tree()
    assert (tree["init"].pid, tree["boss"].parent, tree["boss"].pid) == (1, "init", 999)
    assert tree["child"].reaped_by == "init"


def test_a_subject_that_is_no_init_dies_by_a_signal_and_takes_nobody_along(
    tmp_path: Path, mode: str
) -> None:
    script = """
    send SIGTERM to boss
    expect boss dies by SIGTERM
    expect boss ends with 143
    expect main is a child of init
    main exits 0
    expect main is reaped
    expect nobody is left
    """
    assert passes(judged(tmp_path, mode, script, '"$@" & wait'))


def test_actors_go_on_when_the_subject_has_ended(tmp_path: Path, mode: str) -> None:
    script = """
    expect boss exits 0
    main forks child
    child exits 4
    main reaps child
    main exits 0
    expect main is reaped
    """
    assert passes(judged(tmp_path, mode, script, '"$@" & exit 0'))


def test_who_executes_a_command_is_an_actor_of_that_name(tmp_path: Path, mode: str) -> None:
    script = """
    expect sleepy is a child of boss
    expect sleepy starts with arguments 'two words' ''
    type go
    expect sleepy-2 is a child of boss
    sleepy dies by SIGKILL
    sleepy-2 exits 3
    expect boss exits 3
    """
    program = "sleepy 'two words' '' & read line; sleepy"
    assert passes(judged(tmp_path, mode, script, program, keys=ONLY_WITHOUT_MAIN))


@pytest.mark.parametrize(
    "step", ["expect sleepy is alive", "sleepy exits 3", "send SIGTERM to sleepy"]
)
def test_a_command_that_was_never_started_is_missed(tmp_path: Path, mode: str, step: str) -> None:
    script = f"{step}\nexpect boss is alive"
    verdict = judged(tmp_path, mode, script, "read line; sleep 1000", keys=ONLY_WITHOUT_MAIN)
    assert verdict.status is Status.FAILED
    assert verdict.message.startswith("boss has not started sleepy.")


def test_who_should_be_alive_and_has_ended_hears_how_and_who_is_left(
    tmp_path: Path, mode: str
) -> None:
    script = "expect sleepy is alive\nend the input\nexpect boss is alive"
    program = "sleepy & read line; echo nothing more to read >&2"
    verdict = judged(tmp_path, mode, script, program, keys=ONLY_WITHOUT_MAIN)
    how = "boss exited with 0 while sleepy still lives: it should live on."
    assert verdict.message.startswith(f"{how} It wrote: nothing more to read"), verdict.message


def test_whom_the_subject_makes_is_named_and_expected_of(tmp_path: Path, mode: str) -> None:
    script = """
    expect boss forks k1..k2
    expect boss has 2 children
    expect k1 forks grandchild
    expect grandchild is a child of k1
    send SIGKILL to k1
    expect k1 dies by SIGKILL
    expect grandchild is a child of init
    send SIGTERM to grandchild
    expect grandchild is reaped
    expect boss has 1 child
    expect k2 is alive
    """
    program = "(sleep 1000; :) & sleep 2000 & wait $!; wait"
    verdict = judged(tmp_path, mode, script, program, keys=ONLY_WITHOUT_MAIN)
    assert passes(verdict)
    assert [node.name for node in verdict.observed.tree()] == [
        "init",
        "boss",
        "k1",
        "k2",
        "grandchild",
    ]


def test_whom_a_double_fork_leaves_behind_is_still_there(tmp_path: Path, mode: str) -> None:
    script = "expect boss exits 0\nexpect nobody is left"
    verdict = judged(tmp_path, mode, script, "(sleep 1000 &); exit 0", keys=ONLY_WITHOUT_MAIN)
    assert (verdict.status, verdict.failed_step) == (Status.FAILED, 2)
    assert "Still there: process " in verdict.message


def test_a_child_too_few_is_told(tmp_path: Path, mode: str) -> None:
    program = "sleep 1000 & wait"
    verdict = judged(tmp_path, mode, "expect boss forks k1..k2", program, keys=ONLY_WITHOUT_MAIN)
    assert verdict.status is Status.FAILED
    assert "boss has no further child that could be k1..k2: it has 1 in all" in verdict.message


def test_output_and_error_output_are_told_apart_and_compared_whole(
    tmp_path: Path, mode: str
) -> None:
    program = "echo one; echo two; echo three >&2"
    script = """
    expect output is exactly "one\\ntwo"
    expect output in any order "two\\none"
    expect error output is exactly three
    expect error output hre
    expect boss exits 0
    """
    assert passes(judged(tmp_path, mode, script, program, keys=ONLY_WITHOUT_MAIN))
    wrong = [
        ("expect output is exactly one", "The output has a line too many, 'two'."),
        ('expect output is exactly "two\\none"', "Line 1 of the output is 'one' instead of 'two'."),
        ('expect output is exactly "one\\ntwo\\nsix"', "The output has no line 3, 'six'."),
        ("expect output in any order one", "The output has other lines than it should"),
        ('expect error output is exactly ""', "The error output has a line too many, 'three'."),
        ("expect error output four", "The error output has no 'four'; it is three."),
    ]
    for number, (step, words) in enumerate(wrong):
        verdict = judged(tmp_path / str(number), mode, step, program, keys=ONLY_WITHOUT_MAIN)
        assert verdict.status is Status.FAILED
        assert words in verdict.message


def test_a_line_without_its_newline_is_none(tmp_path: Path, mode: str) -> None:
    verdict = judged(
        tmp_path, mode, "expect output is exactly one", "printf one", keys=ONLY_WITHOUT_MAIN
    )
    assert "The output has no newline at its end." in verdict.message


def test_what_is_typed_is_read_until_the_input_ends(tmp_path: Path, mode: str) -> None:
    script = """
    type one
    expect output is exactly got one
    expect boss is alive
    type "  two"
    end the input
    expect output is exactly "got one\\ngot   two\\nend"
    expect boss exits 0
    """
    program = 'while IFS= read -r line; do echo "got $line"; done; echo end'
    assert passes(judged(tmp_path, mode, script, program, keys=ONLY_WITHOUT_MAIN))


def test_actors_read_and_write_through_a_pipeline(tmp_path: Path, mode: str) -> None:
    script = """
    expect one writes to two
    expect two starts with no other descriptors
    expect one is in the group of boss
    expect boss leads a session
    expect one leads no session
    two reads
    one says hello
    expect two reads hello
    two reads
    expect two is alive
    one exits 0
    expect two finds the end of file
    two exits 4
    expect boss exits 4
    """
    lab = LAB.replace('"sleepy"', '"one", "two"').replace(', "{main}"', "")
    assert passes(judged(tmp_path, mode, script, "one | two", lab=lab))
    script = (
        "two exits 0\none tries to say hello\nexpect one dies by SIGPIPE\nexpect one ends with 141"
    )
    assert passes(judged(tmp_path / "b", mode, script, "one | two", lab=lab))


def test_a_file_can_stand_as_standard_input(tmp_path: Path, mode: str) -> None:
    script = """
    expect sleepy has /dev/null as standard input
    expect sleepy starts in /
    expect sleepy is not in the session of boss
    expect output pid {pid of sleepy}.
    """
    program = "cd /; setsid sleepy </dev/null & echo pid $!.; wait"
    assert passes(judged(tmp_path, mode, script, program, keys=ONLY_WITHOUT_MAIN))


def test_keys_of_the_terminal_reach_its_foreground(tmp_path: Path, mode: str) -> None:
    script = """
    type sleepy
    expect sleepy is in the foreground
    expect boss is in the background
    press ^Z
    expect sleepy is stopped
    expect boss is in the foreground
    type fg
    expect sleepy is in the foreground
    press ^C
    expect sleepy dies by SIGINT
    press ^D
    expect boss exits 130
    """
    keys = f"{ONLY_WITHOUT_MAIN}\nterminal = true"
    assert passes(judged(tmp_path, mode, script, "exec bash --norc -i", keys=keys))


def test_files_lie_where_the_subject_starts(tmp_path: Path, mode: str) -> None:
    script = 'expect output is exactly "a text\\nran\\n126"\nexpect boss exits 0'
    program = (
        "cat notes.txt; ./tool; ./notes.txt 2>/dev/null; echo $?; true >notes.txt && exit 1; exit 0"
    )
    files = '[files]\n"notes.txt" = "a text\\n"\n"tool" = "#!/bin/sh\\necho ran\\n"'
    assert passes(judged(tmp_path, mode, script, program, lab=LAB + files, keys=ONLY_WITHOUT_MAIN))


def test_no_word_of_an_init_where_there_is_none(tmp_path: Path, mode: str) -> None:
    for number, program in enumerate(["exit 3", "sleep 1000", '"$@" & exit 0', 'exec "$@"']):
        script = "main exits 5\nexpect boss exits 6"
        verdict = judged(tmp_path / str(number), mode, script, program)
        assert verdict.status is Status.FAILED
        assert "boss" in verdict.message
        assert "init" not in verdict.message and "PID 1" not in verdict.message


def test_who_ends_before_the_reference_does_has_ended_too_early(tmp_path: Path, mode: str) -> None:
    script = "main forks child\nchild exits 0\nexpect child is a zombie\nmain exits 0\nexpect boss exits 0"
    right, hasty = '"$@"', '"$@" & exit 0'
    assert passes(judged(tmp_path, mode, script, right, reference=right))
    verdict = judged(tmp_path / "b", mode, script, hasty, reference=right)
    assert verdict.status is Status.FAILED
    assert "boss exited with 0" in verdict.message
    assert verdict.failed_step == 1
    assert verdict.expected.tree()["boss"].state == "running"


def test_what_the_reference_does_is_the_expected_tree(tmp_path: Path, mode: str) -> None:
    script = "main exits 3\nexpect boss exits 3"
    verdict = judged(tmp_path, mode, script, '"$@"; exit 4', reference='"$@"')
    assert verdict.status is Status.FAILED
    assert verdict.expected.tree()["boss"].status == 3
    assert verdict.remarks["boss"].unexpected == "should exit with 3"
    assert "main" not in verdict.remarks


def test_a_script_that_the_reference_does_not_meet_is_an_error_and_costs_nothing(
    tmp_path: Path, mode: str
) -> None:
    script = "main exits 3\nexpect boss exits 4"
    verdict = judged(tmp_path, mode, script, '"$@"', reference='"$@"')
    assert verdict.status is Status.ERROR
    assert "the reference solution fails there itself" in verdict.message
    assert passes(judged(tmp_path / "b", mode, script, '"$@"; exit 4', reference='"$@"'))


def test_without_a_reference_the_script_alone_decides(tmp_path: Path, mode: str) -> None:
    script = "main exits 3\nexpect boss exits 3"
    verdict = judged(tmp_path, mode, script, '"$@"; exit 4')
    assert verdict.status is Status.FAILED
    assert not verdict.expected.events
    assert {name: remark.unexpected for name, remark in verdict.remarks.items()} == {
        "boss": "should exit with 3"
    }


def test_an_idle_subject_and_one_that_polls_are_told_apart(tmp_path: Path, mode: str) -> None:
    script = "expect boss is idle\nexpect main is alive"
    assert passes(judged(tmp_path, mode, script, '"$@"'))
    loop = "import time\nwhile True: time.sleep(0.1)"
    polls = f'"$@" & exec {python_for_submissions()} -c "{loop}"'
    verdict = judged(tmp_path / "b", mode, script, polls)
    assert verdict.status is Status.FAILED
    assert verdict.message.startswith("boss is polling")
    assert verdict.seconds < 30  # it took a minute while our own launcher was taken for an effect


def test_who_has_ended_is_not_idle(tmp_path: Path, mode: str) -> None:
    verdict = judged(tmp_path, mode, "expect boss is idle", '"$@" & exit 3')
    assert verdict.status is Status.FAILED
    assert verdict.message == "boss exited with 3: it is not asleep."


def test_the_child_of_one_without_a_name_is_not_taken_for_an_orphan(
    tmp_path: Path, mode: str
) -> None:
    verdict = judged(tmp_path, mode, "expect main is a child of init", '("$@"; :) & wait')
    assert verdict.status is Status.FAILED
    assert "is a child of somebody whom the script does not name instead of " in verdict.message
    script = "expect boss forks shell\nexpect main is a child of shell\nexpect boss has 1 child"
    assert passes(judged(tmp_path / "b", mode, script, '("$@"; :) & wait'))


def test_each_of_several_programs_is_judged_where_a_scenario_starts_it(
    tmp_path: Path, mode: str
) -> None:
    (tmp_path / "lab/scenarios").mkdir(parents=True)
    (tmp_path / "lab/lab.toml").write_text(
        'title = "Two"\nrole = "command"\nprograms = ["first", "second"]\nrun = ["{first}", "{main}"]\n'
    )
    for name, status in (("first", 1), ("second", 2)):
        (tmp_path / f"lab/scenarios/{name}.toml").write_text(
            f'title = "t"\npoints = 1\nwhy = "w"\nrun = ["{{{name}}}", "x"]\n'
            f"script = '''\nexpect {name} exits {status}\n'''\n"
        )
    submission = tmp_path / "submission"
    submission.mkdir()
    (submission / "shared.c").write_text("int answer(int n) { return n; }\n")
    for name, status in (("first", 1), ("second", 2)):
        text = f"int answer(int); int main(void) {{ return answer({status}); }}\n"
        (submission / f"{name}.c").write_text(text)
    verdicts = assess(load_lab(tmp_path / "lab"), submission, mode=mode).verdicts
    assert [v.status for v in verdicts] == [Status.PASSED] * 2, [v.message for v in verdicts]
