"""What holds for every notebook: how it begins and ends, and that each section stands alone."""

from __future__ import annotations

import re
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from reader import ALL, NOTEBOOKS, but_slowly, cells_of, source


@pytest.mark.parametrize("name", ALL)
def test_it_says_what_one_can_do_afterwards_and_how_long_it_takes(name: str) -> None:
    first = source(cells_of(name)[0])
    assert first.startswith("# ")
    assert "After this notebook you can" in first
    assert "**Time:** about" in first


@pytest.mark.parametrize("name", ALL)
def test_it_has_one_import_and_that_is_its_first_code(name: str) -> None:
    code = [source(cell) for cell in cells_of(name) if cell["cell_type"] == "code"]
    own = [text for text in code if not text.startswith("%%")]
    assert code[0].startswith("from forklab.notebook import ")
    assert not any(re.search(r"^\s*(import|from) ", text, re.MULTILINE) for text in own[1:])


@pytest.mark.parametrize("name", ALL)
def test_it_ends_with_five_questions_whose_answers_are_folded_and_says_where_to_go(
    name: str,
) -> None:
    last = source(cells_of(name)[-1])
    assert last.count("<details><summary>") == last.count("</details>") == 5
    assert "## Where to go next" in last
    assert "The lab `init`" in last
    assert "Chris Kuehl" in last


@pytest.mark.parametrize("name", ALL)
def test_it_has_two_or_three_exercises_with_a_check_each(name: str) -> None:
    cells = cells_of(name)
    numbers = [cell["metadata"].get("forklab", {}).get("exercise") for cell in cells]
    found = [number for number in numbers if number is not None]
    assert found == list(range(1, len(found) + 1))
    assert len(found) in (2, 3)
    for at, number in enumerate(numbers):
        if number is not None:
            assert "check(" in source(cells[at + 1])
            assert printed(cells[at + 1]).startswith("Not yet. ")  # it is the reader who solves it


@pytest.mark.parametrize("name", ALL)
def test_claims_are_asserted(name: str) -> None:
    code = [source(cell) for cell in cells_of(name) if cell["cell_type"] == "code"]
    assert sum(text.count("assert ") for text in code) >= 3


@pytest.mark.parametrize("name", ALL)
def test_a_prediction_comes_before_the_program_and_its_answer_after_it_folded(name: str) -> None:
    code = [
        cell
        for cell in cells_of(name)
        if cell["cell_type"] == "code" and source(cell) != "outputs()"  # which may show more of it
    ]
    asked = [at for at, cell in enumerate(code) if source(cell).startswith("predict(")]
    assert asked
    for at in asked:
        question, program, answer = code[at : at + 3]
        assert "why" not in source(question)
        assert source(program).startswith(("%%lens ", "%%units "))
        assert source(answer).startswith("compare(")
        assert answer["metadata"]["jupyter"] == {"source_hidden": True}
        right = printed(answer).removeprefix("It was: ").removesuffix(".")
        choices = [line[4:] for line in printed(question).splitlines() if line.startswith("  ○ ")]
        assert right in choices or not choices


def printed(cell: dict[str, Any]) -> str:
    """What is kept of it as text."""
    texts = [output.get("text") or output["data"]["text/plain"] for output in cell["outputs"]]
    return "".join("".join(text) for text in texts)


def test_no_question_is_asked_twice_for_its_answer_knows_it_by_its_words() -> None:
    asked = [
        source(cell)
        for name in ALL
        for cell in cells_of(name)
        if source(cell).startswith("predict(")
    ]
    assert len(set(asked)) == len(asked)


@pytest.mark.parametrize("name", ALL)
def test_what_proves_what_answers_and_what_says_it_again_in_python_is_folded(name: str) -> None:
    told: set[str | None] = set()
    for cell in cells_of(name):
        if cell["cell_type"] == "code":
            text, twin = source(cell), cell["metadata"].get("forklab", {}).get("twin")
            again = text.startswith("%%lens python") and twin in told
            proves = "assert " in text and not text.startswith("%%")
            answers = text.startswith(("compare(", "check(")) or "\ncheck(" in text
            folded = cell["metadata"].get("jupyter", {}).get("source_hidden", False)
            assert folded == (again or proves or answers), text
            if text.startswith("%%lens c") and twin:
                told.add(twin)


def test_the_list_of_notebooks_names_each_of_them() -> None:
    listed = re.findall(r"\]\((\w+\.ipynb)\)", (NOTEBOOKS / "README.md").read_text())
    assert listed == ALL


def sections(name: str) -> list[list[str]]:
    """The code of each part that begins with a heading "## "."""
    found: list[list[str]] = []
    for cell in cells_of(name):
        if cell["cell_type"] == "markdown" and source(cell).startswith("## "):
            found.append([])
        elif cell["cell_type"] == "code" and found:
            found[-1].append(source(cell))
    return [section for section in found if section]


@pytest.mark.parametrize("name", but_slowly("02_how_many_hellos.ipynb"))
def test_every_section_can_be_run_alone_and_twice(name: str, shell: InteractiveShell) -> None:
    opening = next(source(cell) for cell in cells_of(name) if cell["cell_type"] == "code")
    for section in reversed(sections(name)):
        shell.reset(new_session=False)
        with capture_output():
            for code in (opening, *section, *section):
                shell.run_cell(code).raise_error()


def test_the_cell_about_this_machine_is_shipped_without_its_answer() -> None:
    (cell,) = (c for c in cells_of("01_what_a_process_is.ipynb") if source(c).startswith("%%sh\n"))
    assert "nbval-ignore-output" in cell["metadata"]["tags"]
    assert cell["outputs"] == []


def test_which_outputs_asks_at_least_eight_questions_of_which_each_shows_all_outputs() -> None:
    cells = cells_of("10_which_outputs.ipynb")
    code = [source(cell) for cell in cells if cell["cell_type"] == "code"]
    asked = [at for at, text in enumerate(code) if text.startswith("predict(")]
    assert len(asked) >= 8
    assert all(code[at + 2] == "outputs()" for at in asked)
