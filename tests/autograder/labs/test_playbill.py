"""What a lab says of its plays is read, and what is wrong with it is told with the mend."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.labs.flaws import LabError
from autograder.labs.lab import Lab, load_lab
from autograder.labs.playbill import MODEL_OF_INIT, NOTHING, REFERENCE
from autograder.language.roles import Subject

SCENARIO = "title = 't'\npoints = 1\nwhy = 'w'\nscript = 'expect boss exits 0'\n"


def lab_of(folder: Path, keys: str, scenario: str = SCENARIO) -> Lab:
    (folder / "scenarios").mkdir()
    (folder / "lab.toml").write_text(f"title = 'T'\n{keys}\n")
    (folder / "scenarios/01.toml").write_text(scenario)
    return load_lab(folder)


def flaws(folder: Path, keys: str, scenario: str = SCENARIO) -> str:
    with pytest.raises(LabError) as error:
        lab_of(folder, keys, scenario)
    return str(error.value)


COMMAND = "role = 'command'\nprogram = 'boss'"


def test_a_lab_that_says_nothing_is_about_an_init(tmp_path: Path) -> None:
    lab = lab_of(tmp_path, "program = 'boss'", SCENARIO.replace("boss", "init"))
    assert lab.bill.subject == Subject("init", "init")
    assert (lab.bill.programs, lab.bill.expected) == (("boss",), MODEL_OF_INIT)
    [scenario] = lab.scenarios
    assert scenario.command_line({"boss": ["/s/boss"]}, ["actor", "main"]) == [
        "/s/boss",
        "actor",
        "main",
    ]


def test_a_command_has_the_name_of_its_program_and_its_solution_as_reference(
    tmp_path: Path,
) -> None:
    lab = lab_of(tmp_path, COMMAND)
    assert lab.bill.subject == Subject("boss", "command")
    assert lab.bill.expected == REFERENCE


def test_a_scenario_has_its_own_command_line_and_more_actors_and_files(tmp_path: Path) -> None:
    keys = (
        f"{COMMAND}\nexpected = 'none'\ncommands = ['one', 'w1..w3']\n[files]\n'a' = 'A'\n'b' = 'B'"
    )
    own = "run = ['{program}', '{main}', 'two words']\ncommands = ['two']\nfiles = { a = 'mine' }\n"
    [scenario] = lab_of(tmp_path, keys, own + SCENARIO).scenarios
    assert scenario.bill.expected == NOTHING
    assert scenario.casting.commands == ("one", "w1", "w2", "w3", "two")
    assert dict(scenario.bill.files) == {"a": "mine", "b": "B"}
    line = scenario.command_line({"boss": ["python3", "boss.py"]}, ["actor", "main"])
    assert line == ["python3", "boss.py", "actor", "main", "two words"]


def test_a_scenario_judges_the_program_that_it_starts(tmp_path: Path) -> None:
    keys = "role = 'command'\nprograms = ['boss', 'other']\nrun = ['{other}']"
    lab = lab_of(tmp_path, keys, "run = ['{boss}', '{other}']\n" + SCENARIO)
    assert lab.bill.subject.name == "other"
    [scenario] = lab.scenarios
    assert scenario.casting.subject.name == "boss"
    assert scenario.command_line({"boss": ["b"], "other": ["o"]}, []) == ["b", "o"]


@pytest.mark.parametrize(
    "keys, words",
    [
        ("role = 'boss'", '`role` must be one of "init", "command"'),
        ("role = 'command'\nprogram = 'init'", "cannot be what scripts call the program"),
        ("role = 'command'\nprogram = 'send'", "cannot be what scripts call the program"),
        ("role = 'command'\nprogram = 'a b'", "must be the name of a file"),
        (f"{COMMAND}\nprograms = ['x']", "`program` and `programs` say the same"),
        (f"{COMMAND}\nexpected = 'model:init'", "the model knows what an init does"),
        (f"{COMMAND}\nexpected = 'solution'", "`expected` must be one of"),
        (f"{COMMAND}\nrun = ['boss']", "`run` must begin with the program that is judged"),
        (f"{COMMAND}\nrun = ['{{program}}', '{{mian}}']", "nothing stands for {mian}"),
        (f"{COMMAND}\ncommands = ['main']", "is somebody else's name"),
        (f"{COMMAND}\ncommands = ['expect']", "is a word of the language"),
        (f"{COMMAND}\ncommands = ['w1..w999']", "are 999 actors"),
        (f"{COMMAND}\n[files]\n'../x' = ''", "is no path inside of a folder"),
        (f"{COMMAND}\n[generated]\nscenarios = 1\npoints = 1", "generated for labs about an init"),
    ],
)
def test_what_is_wrong_with_a_lab_is_told(tmp_path: Path, keys: str, words: str) -> None:
    assert words in flaws(tmp_path, keys)


@pytest.mark.parametrize(
    "line, words",
    [
        ("expect init exits 0", "init is our own here, and only has children"),
        ("init exits 0", "init is our own here, and only has children"),
        ("boss forks child", "boss is the program that is judged"),
        ("main forks init", "init is our own here"),
        ("main forks one", "one is a command: boss starts it, or nobody does"),
        ("expect boss forks one", "there is a one already"),
        ("expect boss forks child\nchild exits 0", "child is no actor: boss has made it"),
        ("send SIGTERM to stranger", "nobody has forked stranger"),
        ("press ^C", "there is no terminal"),
        ("expect main is in the foreground", "there is no terminal"),
        ("end the input\ntype x", "the input has ended (line 1)"),
        ("boss starts as a foreground job", "there is no terminal"),
        ("freeze boss after the fork", "boss is no init here"),
        ("expect main is idle", "'main' stands where only boss can stand"),
        ("freeze init", "'init' stands where only boss can stand"),
    ],
)
def test_what_makes_no_sense_of_a_command_is_refused(tmp_path: Path, line: str, words: str) -> None:
    script = f"{line}\nexpect boss exits 0"
    scenario = f"title = 't'\npoints = 1\nwhy = 'w'\nscript = '''\n{script}\n'''\n"
    assert words in flaws(tmp_path, f"{COMMAND}\ncommands = ['one']", scenario)


def test_without_a_main_and_commands_there_are_no_actors(tmp_path: Path) -> None:
    scenario = (
        "title = 't'\npoints = 1\nwhy = 'w'\nscript = '''\nmain exits 0\nexpect boss exits 0\n'''\n"
    )
    words = flaws(tmp_path, f"{COMMAND}\nrun = ['{{program}}']", scenario)
    assert "there are no actors: `run` has no {main}, and the lab no `commands`" in words
