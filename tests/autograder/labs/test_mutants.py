"""Mutants are made of the solution by edits that still fit, and the demo class of all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.labs.demo_class import make_class
from autograder.labs.flaws import LabError
from autograder.labs.lab import Lab, load_lab
from autograder.labs.mutants import load_mutants, write

SOLUTION = "one();\ntwo();\ntwo();\nthree();\n"
MUTANT = """
title = "Forgets one"
bug = "somebody/something#1"
why = "It forgets."
of = "solution/c/init.c"
caught_by = ["01_first"]
[[edit]]
find = "one();"
replace = ""
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A lab with one scenario, one solution, one starter and one mutant."""
    lab = tmp_path / "tiny"
    for kind in ("scenarios", "mutants", "solution/c", "starter/python"):
        (lab / kind).mkdir(parents=True)
    (lab / "lab.toml").write_text('title = "Tiny"\n')
    (lab / "scenarios" / "01_first.toml").write_text(
        'title = "It lives"\npoints = 1\nwhy = "It should."\nscript = "expect init is alive"\n'
    )
    (lab / "solution/c/init.c").write_text(SOLUTION)
    (lab / "solution/c/more.h").write_text("// more\n")
    (lab / "starter/python/init.py").write_text("pass\n")
    (lab / "mutants/forgets.toml").write_text(MUTANT)
    return lab


def complaint(folder: Path) -> str:
    with pytest.raises(LabError) as caught:
        load_mutants(load_lab(folder))
    return str(caught.value).replace(f"{folder}/", "")


def change(folder: Path, old: str, new: str) -> None:
    path = folder / "mutants/forgets.toml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def test_a_mutant_is_the_solution_with_its_edits(folder, tmp_path):
    (mutant,) = load_mutants(load_lab(folder))
    write(mutant, tmp_path / "handed in")
    assert (mutant.name, mutant.caught_by) == ("forgets", ("01_first",))
    assert mutant.modes == ("pidns", "subreaper")
    assert (tmp_path / "handed in/init.c").read_text() == SOLUTION.replace("one();", "")
    assert (tmp_path / "handed in/more.h").read_text() == "// more\n"


def test_a_race_is_for_scenarios_that_look_at_every_schedule(folder):
    change(folder, "[[edit]]", "race = true\n[[edit]]")
    assert complaint(folder) == (
        "mutants/forgets.toml, line 6: 01_first does not look at all schedules of a race.\n"
        '  Say explore = "every schedule" in 01_first.toml.'
    )
    scenario = folder / "scenarios/01_first.toml"
    scenario.write_text(f'explore = "every schedule"\n{scenario.read_text()}')
    (mutant,) = load_mutants(load_lab(folder))
    assert mutant.race


def test_edits_follow_each_other(folder, tmp_path):
    change(folder, 'replace = ""', 'replace = "four();"\n[[edit]]\nfind = "four"\nreplace = "five"')
    (mutant,) = load_mutants(load_lab(folder))
    write(mutant, tmp_path / "handed in")
    assert (tmp_path / "handed in/init.c").read_text().startswith("five();")


def test_an_edit_that_does_not_fit_any_more_is_told_with_its_line(folder):
    change(folder, "one();", "ten();")
    assert complaint(folder) == (
        "mutants/forgets.toml, line 8: what is to be replaced is not in init.c.\n"
        "  Copy it from init.c as it is now, blanks included."
    )


def test_an_edit_that_fits_twice_is_told_with_its_line(folder):
    change(folder, "one();", "two();")
    assert complaint(folder) == (
        "mutants/forgets.toml, line 8: what is to be replaced is 2 times in init.c.\n"
        "  Find more of the lines around it, so that it is there once."
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "01_first",
            "01_frist",
            "line 6: the lab has no scenario '01_frist'.\n  Did you mean '01_first'?",
        ),
        (
            "c/init.c",
            "c/int.c",
            "line 5: the lab has no file 'solution/c/int.c'.\n  Did you mean 'solution/c/init.c'?",
        ),
        (
            "[[edit]]",
            'modes = ["pidn"]\n[[edit]]',
            "line 7: there is no mode 'pidn'.\n  Did you mean 'pidns'?",
        ),
        ('replace = ""', 'replace = "one();"', "line 9: the edit replaces a text by itself."),
        (
            'replace = ""',
            'repalce = ""',
            "line 9: there is no key `repalce`.\n  Did you mean 'replace'?",
        ),
        ("[[edit]]", "[other]", "the key `edit` is missing."),
    ],
)
def test_what_is_wrong_in_a_mutant_is_told_with_its_line(folder, old, new, message):
    change(folder, old, new)
    assert message in complaint(folder)


def test_the_demo_class_has_the_layout_of_nbgrader(folder, tmp_path):
    students = make_class(load_lab(folder), tmp_path / "class")
    files = {str(path.relative_to(tmp_path / "class")) for path in tmp_path.glob("class/*/*/*")}
    assert students == ["solution_c", "starter_python", "mutant_forgets"]
    assert files == {
        "solution_c/tiny/init.c",
        "solution_c/tiny/more.h",
        "starter_python/tiny/init.py",
        "mutant_forgets/tiny/init.c",
        "mutant_forgets/tiny/more.h",
    }


def test_making_the_class_again_replaces_what_is_stale(folder, tmp_path):
    make_class(load_lab(folder), tmp_path / "class")
    stale = tmp_path / "class/mutant_forgets/tiny/old.c"
    other = tmp_path / "class/somebody/tiny/init.c"
    other.parent.mkdir(parents=True)
    stale.touch()
    other.touch()
    make_class(load_lab(folder), tmp_path / "class")
    assert not stale.exists()
    assert other.exists()


def test_the_mutants_of_the_lab_init_fit_its_solution():
    lab: Lab = load_lab(Path(__file__).parents[3] / "labs" / "init")
    assert len(load_mutants(lab)) >= 15
