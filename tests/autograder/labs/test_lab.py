"""Labs and scenarios as files: what is read from them, and what is said about those that cannot be used."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder.labs import lab as lab_module
from autograder.labs.flaws import LabError
from autograder.labs.lab import load_lab
from autograder.labs.scenario import load_scenario
from autograder.language.deeds import Exits
from autograder.language.roles import Actors

GOOD = """\
title  = "An orphan's exit is collected"
points = 5
why    = "Whoever loses its parent becomes PID 1's child."
script = '''
main exits 42
expect init exits 42
'''
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "03_orphan.toml"
    path.write_text(GOOD)
    return path


def change(file: Path, old: str, new: str) -> None:
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


def complaint(file: Path) -> str:
    with pytest.raises(LabError) as caught:
        load_scenario(file)
    return str(caught.value).replace(f"{file.parent}/", "")


def test_a_scenario_has_what_its_file_says(file):
    scenario = load_scenario(file)
    assert (scenario.name, scenario.title) == ("03_orphan", "An orphan's exit is collected")
    assert (scenario.points, scenario.modes) == (5, ("pidns", "subreaper"))
    assert scenario.script == "main exits 42\nexpect init exits 42\n"
    assert scenario.steps[0] == Exits(Actors("main"), 42)
    assert (scenario.command, scenario.terminal, scenario.untested) == (None, False, None)


def test_how_actors_begin_is_noted_only_where_the_script_asks(file):
    assert not load_scenario(file).casting.notes_starts
    change(file, "main exits 42\n", "expect main starts clean\nmain exits 42\n")
    assert load_scenario(file).casting.notes_starts


def test_a_scenario_can_have_more(file):
    change(file, "main exits 42\n", "")
    more = 'command = ["sh", "-c", ""]\nterminal = true\nuntested = "so"\nmodes = ["pidns"]\npoints = 0.5'
    change(file, "points = 5", more)
    scenario = load_scenario(file)
    assert scenario.command == ("sh", "-c", "")
    assert (scenario.terminal, scenario.untested, scenario.modes) == (True, "so", ("pidns",))
    assert scenario.points == 0.5


def test_an_empty_command_is_none_at_all(file):
    change(file, "main exits 42\n", "")
    change(file, "points = 5", "points = 5\ncommand = []")
    assert load_scenario(file).command == ()


def test_a_file_with_the_line_ends_and_the_mark_of_windows_is_read(file):
    file.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert load_scenario(file).script == "main exits 42\nexpect init exits 42\n"


def test_a_typo_in_the_script_is_told_with_both_lines_and_the_mend(file):
    change(file, "main exits 42", "main forks child\nexpect child reaped")
    assert complaint(file) == (
        "03_orphan.toml, script line 2 (line 6 of the file): 'expect child reaped' is not a step.\n"
        "  Did you mean 'expect child is reaped'?"
    )


def test_nonsense_in_the_script_is_told_with_both_lines_and_the_mend(file):
    change(file, "main exits 42", "main forks child\nchid exits 0")
    assert complaint(file) == (
        "03_orphan.toml, script line 2 (line 6 of the file): 'chid exits 0': nobody has forked chid.\n"
        "  Did you mean 'child'?"
    )


@pytest.mark.parametrize(
    ("opening", "line"), [("'''", 4), ("'''\n", 5), ('"""', 4), ('"""\\\n', 5), ('"""\n', 5)]
)
def test_the_line_in_the_file_is_right_however_the_script_begins(file, opening, line):
    quotes = opening[:3]
    change(file, "'''\nmain exits 42\nexpect init exits 42\n'''", f"{opening}main exit\n{quotes}")
    assert f"script line 1 (line {line} of the file)" in complaint(file)


def test_what_looks_like_a_key_in_a_text_is_none(file):
    change(file, "why    = ", "why = '''\nscript = 1\n''' # script =\n#")
    change(file, "main exits 42", "main exit")
    assert "script line 1 (line 8 of the file)" in complaint(file)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("points", "point", "line 2: there is no key `point`.\n  Did you mean 'points'?"),
        (
            "points = 5\n",
            "",
            "03_orphan.toml: the key `points` is missing.\n  Add a line: points =",
        ),
        ("points = 5", "points = 0", "line 2: `points` must be a number greater than 0"),
        ("points = 5", "points = inf", "line 2: `points` must be a number greater than 0"),
        ("points = 5", "points = nan", "line 2: `points` must be a number greater than 0"),
        ("points = 5", "points = true", "line 2: `points` must be a number greater than 0"),
        ("points = 5", 'points = "5"', "line 2: `points` must be a number greater than 0"),
        ("points = 5", "points =", "line 2: the file is not TOML: invalid value."),
        ("points = 5", "points = 5\npoints = 6", "the file is not TOML: cannot overwrite a value"),
        ('exit is collected"', "exit is collected", "line 1: the text in quotes has no end."),
        ("\n'''\n", "\n", "line 4: the text that begins with ''' has no end.\n  End it with '''."),
        ('"Whoever', '"" # "', "line 3: `why` must be a text in quotes, and not an empty one."),
        (
            "points = 5",
            'points = 5\nmodes = ["pidn"]',
            "line 3: there is no mode 'pidn'.\n  Did you mean 'pidns'?",
        ),
        ("points = 5", "points = 5\nmodes = []", "line 3: `modes` must be a list of texts."),
        ("points = 5", "points = 5\ncommand = [1]", "line 3: `command` must be a list of texts."),
        ("points = 5", "points = 5\nterminal = 'yes'", "line 3: `terminal` must be true or false"),
        ("points = 5", f"points = 5\ndeep = {'[' * 5000}", "the file is not TOML: nested too deep"),
        ("main exits 42\nexpect init exits 42\n", "", "line 4: the script is empty."),
        ("expect init exits 42\n", "", "line 4: the script expects nothing, so that every init"),
        ("'''\nmain exits 42\nexpect init exits 42\n'''", "7", "line 4: `script` must be a text"),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_the_mend(file, old, new, message):
    change(file, old, new)
    assert message in complaint(file)


def test_everything_that_is_wrong_is_told_at_once(file):
    change(file, "points", "point")
    change(file, "why ", "wy ")
    change(file, "exits", "exited")
    assert [line.partition(":")[0] for line in complaint(file).split("\n")[::2]] == [
        "03_orphan.toml, line 2",
        "03_orphan.toml, line 3",
        "03_orphan.toml, script line 1 (line 5 of the file)",
        "03_orphan.toml, script line 2 (line 6 of the file)",
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"\xff\xfe", "is not UTF-8 text"), (b"#" * 300_000, "is larger than 256 kB")],
)
def test_a_file_that_is_no_scenario_is_told_so(file, content, message):
    file.write_bytes(content)
    assert message in complaint(file)


def test_a_file_that_is_not_there_is_told_so(file):
    assert complaint(file.with_name("04.toml")) == "04.toml: there is no such file."
    assert "cannot be read: Is a directory" in complaint(file.parent)


@settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300
)
@given(
    st.binary(max_size=300)
    | st.lists(
        st.sampled_from([*GOOD.split("\n"), "'''", '"""', "[x]", "[[x]]", "x.y = 1", "="])
    ).map(lambda lines: "\n".join(lines).encode())
)
def test_garbage_raises_nothing_but_a_lab_error(tmp_path, content):
    path = tmp_path / "garbage.toml"
    path.write_bytes(content)
    try:
        load_scenario(path)
    except LabError as error:
        assert error.flaws


NAMES = ("20_third", "03_first", "40_fifth", "04_second", "30_fourth", "50_sixth")


@pytest.fixture
def labs(tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder labs/ with one lab, `tiny`; we stand beside it."""
    tiny = tmp_path / "labs" / "tiny"
    (tiny / "scenarios").mkdir(parents=True)
    (tiny / "lab.toml").write_text('title = "A tiny lab"\nprogram = "boss"\n')
    for name in NAMES:
        (tiny / "scenarios" / f"{name}.toml").write_text(GOOD)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "labs"


def test_a_lab_has_its_scenarios_in_the_order_of_their_names(labs):
    lab = load_lab(labs / "tiny")
    assert (lab.name, lab.title, lab.program, lab.max_points) == ("tiny", "A tiny lab", "boss", 30)
    assert [scenario.name for scenario in lab.scenarios] == sorted(NAMES)


def test_a_name_is_looked_for_here_before_it_is_among_those_that_were_shipped(labs, monkeypatch):
    monkeypatch.setattr(lab_module, "_SHIPPED_LABS", shutil.copytree(labs, labs.parent / "shipped"))
    assert load_lab("tiny").folder == Path("labs/tiny")
    shutil.rmtree(labs)
    assert load_lab("tiny").folder == labs.parent / "shipped" / "tiny"


def test_a_folder_of_that_name_that_is_no_lab_is_not_taken_for_one(labs):
    (labs.parent / "tiny").mkdir()
    assert load_lab("tiny").title == "A tiny lab"


def test_the_lab_that_ships_can_be_used(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert len(load_lab("init").scenarios) >= 24


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("tyni", "tyni: there is no lab of this name.\n  Did you mean 'tiny'?"),
        ("labs/tyni", "labs/tyni: there is no such folder."),
        (
            "labs",
            "labs: there is no lab of this name, and the folder of this name has no lab.toml.",
        ),
        ("./labs/", "labs: there is no lab of this name, and the folder of this name has no"),
        ("labs/tiny/scenarios", "this folder is no lab: it has no lab.toml."),
    ],
)
def test_a_lab_that_is_not_there_is_told_with_its_nearest(labs, wanted, message):
    with pytest.raises(LabError) as caught:
        load_lab(wanted)
    assert message in str(caught.value)


def test_all_flaws_of_a_lab_are_told_at_once(labs):
    (labs / "tiny/lab.toml").write_text('titel = "x"\nprogram = "a/b"\n')
    change(labs / "tiny/scenarios/03_first.toml", "points", "point")
    with pytest.raises(LabError) as caught:
        load_lab("tiny")
    places = [(flaw.path.name, flaw.line) for flaw in caught.value.flaws]
    assert places == [("lab.toml", 1), ("lab.toml", 2), ("03_first.toml", 2)]


def test_a_lab_without_scenarios_is_refused(labs):
    for path in (labs / "tiny/scenarios").iterdir():
        path.unlink()
    with pytest.raises(LabError, match="the lab has no scenarios"):
        load_lab("tiny")
