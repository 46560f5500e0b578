"""A quiz on paper, in Markdown, for Moodle and as a notebook."""

from __future__ import annotations

import subprocess
import sys
from html import unescape
from pathlib import Path
from typing import Any

import nbformat
import pytest
from gift import read_gift
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from forklab.quiz.as_gift import as_gift
from forklab.quiz.as_markdown import as_markdown
from forklab.quiz.as_notebook import NoNotebooksError, as_notebook
from forklab.quiz.as_text import as_text
from forklab.quiz.listing import Listing
from forklab.quiz.program import Language
from forklab.quiz.question import Choice, Question, QuestionKind, Quiz

AWKWARD = 'printf("~=#{}: %d\\n");\n\n// 100% <b> & \\\\ done'


def of_one(**parts: Any) -> Quiz:
    asked: dict[str, Any] = {
        "kind": QuestionKind.COUNT,
        "asked": "How many: {a} = ~b# ?",
        "listing": Listing(Language.C, AWKWARD),
        "answer": "3",
    }
    return Quiz("Quiz 1", 2, "forklab quiz --seed 1", (Question(**{**asked, **parts}),))


@pytest.mark.parametrize(("write", "cut"), [(as_text, "8<"), (as_markdown, "\n---\n")])
def test_the_key_is_below_the_cut_and_every_program_above(quiz: Quiz, write: Any, cut: str) -> None:
    asked, _, key = write(quiz).partition(cut)
    for question in quiz.questions:
        shown = question.listing.text if question.shows_program else question.picture
        for line in filter(None, shown.splitlines()):
            assert line in asked
        for choice in question.choices:
            assert choice.text in " ".join(asked.split())
    assert quiz.questions[0].answer in key
    assert quiz.questions[0].answer not in asked
    assert quiz.command in key
    assert cut not in key


def test_paper_has_no_line_that_is_too_long(quiz: Quiz) -> None:
    assert max(map(len, as_text(quiz).partition("8<")[0].splitlines())) <= 88


def test_a_list_of_actions_wraps_between_its_words() -> None:
    long = "; ".join(f"{a} forks {b}" for a, b in zip("abcdefghi", "bcdefghij", strict=True))
    quiz = of_one(kind=QuestionKind.ACTIONS, choices=(Choice(long, True),), picture="a ─ b")
    wrapped = as_text(quiz).partition("8<")[0]
    assert max(map(len, wrapped.splitlines())) <= 88
    assert long in " ".join(wrapped.split())


# --- Moodle ------------------------------------------------------------------------------------------------------


def test_moodle_reads_every_sign_of_a_program_as_it_is() -> None:
    (read,) = read_gift(as_gift(of_one(number=3)))
    assert f"<pre>{AWKWARD}</pre>" in unescape(read.text)
    assert "How many: {a} = ~b# ?" in read.text
    assert "<b>" not in read.text
    assert read.number == 3


def test_moodle_gets_each_question_with_its_key(quiz: Quiz) -> None:
    count, tree, actions, outputs = read_gift(as_gift(quiz))
    assert count.number == quiz.questions[0].number
    assert (tree.number, tree.answers) == (None, ())
    assert quiz.questions[1].answer.splitlines()[0] in unescape(tree.feedback)
    for read, question in ((actions, quiz.questions[2]), (outputs, quiz.questions[3])):
        assert [unescape(answer.text) for answer in read.answers] == [
            choice.text for choice in question.choices
        ]
        assert [answer.weight > 0 for answer in read.answers] == [
            choice.right for choice in question.choices
        ]
        assert sum(max(answer.weight, 0) for answer in read.answers) == pytest.approx(100, abs=0.01)
    assert len({read.name for read in (count, tree, actions, outputs)}) == 4


def test_who_takes_all_choices_gets_nothing() -> None:
    choices = tuple(Choice(text, text < "D") for text in "ABCDE")
    (read,) = read_gift(as_gift(of_one(kind=QuestionKind.OUTPUTS, choices=choices, several=True)))
    assert [answer.weight for answer in read.answers] == [33.33333] * 3 + [-50] * 2
    assert sum(answer.weight for answer in read.answers) == pytest.approx(0, abs=0.01)


# --- Jupyter -----------------------------------------------------------------------------------------------------


def test_a_notebook_is_one_and_keeps_its_answers_folded(quiz: Quiz) -> None:
    notebook = nbformat.reads(as_notebook(quiz), as_version=4)
    nbformat.validate(notebook)
    cells = {cell.id: cell for cell in notebook.cells}
    for number, question in enumerate(quiz.questions, start=1):
        run, answer = cells[f"question-{number}-run"], cells[f"question-{number}-answer"]
        assert run.source.startswith(f"%%lens {question.listing.language}")
        assert question.listing.text.rstrip() in run.source
        assert run.metadata.get("jupyter", {}).get("source_hidden", False) == (
            question.kind is QuestionKind.ACTIONS  # the program would tell who did what
        )
        assert answer.metadata.jupyter.source_hidden
        for cell in notebook.cells:
            if cell.id != answer.id and question.kind is QuestionKind.TREE:
                assert question.answer not in cell.source
    assert not any(cell.get("outputs") for cell in notebook.cells)


def test_the_cells_of_a_notebook_find_their_answers_true(
    quiz: Quiz, shell: InteractiveShell
) -> None:
    said = {}
    for cell in nbformat.reads(as_notebook(quiz), as_version=4).cells:
        if cell.cell_type == "code":
            with capture_output() as captured:
                result = shell.run_cell(cell.source)
            result.raise_error()
            said[cell.id] = captured.stdout + "".join(
                shown.data["text/plain"] for shown in captured.outputs
            )
    assert f"It was: {quiz.questions[0].number}." in said["question-1-answer"]
    assert quiz.questions[1].answer in said["question-2-answer"]


@pytest.mark.slow
def test_a_notebook_runs_from_its_first_cell_to_its_last(quiz: Quiz, tmp_path: Path) -> None:
    (tmp_path / "quiz.ipynb").write_text(as_notebook(quiz))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--nbval", "--nbval-current-env", "quiz.ipynb"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "failed" not in done.stdout


def test_without_nbformat_a_notebook_says_what_is_missing(
    quiz: Quiz, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "nbformat", None)
    with pytest.raises(NoNotebooksError, match="nbformat"):
        as_notebook(quiz)
