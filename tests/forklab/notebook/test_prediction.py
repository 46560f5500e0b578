"""Questions and answers as text, and how they know of each other; tests/notebooks/test_predictions.py clicks."""

from __future__ import annotations

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from forklab.notebook.prediction import Answer, Question


def shown_in(shell: InteractiveShell, cell: str) -> str:
    """As text, what it prints and what it shows."""
    with capture_output() as captured:
        shell.run_cell(cell).raise_error()
    return captured.stdout + "".join(output.data["text/plain"] for output in captured.outputs)


def test_a_prediction_is_asked_for_first_and_compared_after_the_next_program(
    shell: InteractiveShell,
) -> None:
    shell.run_cell("from forklab.notebook import *").raise_error()
    asked = shown_in(shell, "predict('How many?', 1, 2, mine=1)")
    assert asked == "How many?\n  ● 1\n  ○ 2\nYou say: 1."
    answer = "compare(len(history.family()), why={1: 'Who else?'})"
    for _ in range(2):  # the reader runs the cells again
        shown_in(shell, "%%lens sh\ntrue & wait")
        assert shown_in(shell, answer) == "You said 1, but it was 2. Who else?"
    shown_in(shell, "%%lens sh\ntrue")
    assert shown_in(shell, answer) == "It was: 1."  # nobody has predicted anything of this one


def test_a_prediction_that_is_no_choice_does_not_count(shell: InteractiveShell) -> None:
    shell.run_cell("from forklab.notebook import *").raise_error()
    asked = shown_in(shell, "predict('How many?', 1, 2, mine=7)")
    assert asked.startswith("7 is none of the choices: 1, 2.")
    assert shown_in(shell, "compare(1)") == "It was: 1."


@pytest.mark.parametrize(
    ("mine", "words"),
    [
        (None, "It was: 4."),
        ("4", "You said 4, and it was 4. Well seen!"),
        ("3", "You said 3, but it was 4. Who calls the second fork?"),
        ("9", "You said 9, but it was 4. The explanation below tells why."),
    ],
)
def test_a_prediction_is_compared_gently(mine: str | None, words: str) -> None:
    assert Answer("4", {"3": "Who calls the second fork?"}, mine=mine).verdict == words


def test_the_same_question_has_the_same_name_and_another_one_has_another() -> None:
    assert Question("How many?", ("1", "2")).name == Question("How many?", ("1", "2"), "2").name
    assert Question("How many?", ("1", "2")).name != Question("How many?", ("1", "3")).name


def test_without_scripts_the_choices_are_a_list_and_the_answer_is_folded() -> None:
    question = Question("How many?", ("1", "2"))._repr_mimebundle_()["text/html"]
    still = question[question.index(">") + 1 :]
    assert "<b>How many?</b>" in still and "○ 1\n  ○ 2" in still
    answer = Answer("2", {"1": "Who <else>?"})._repr_mimebundle_()["text/html"]
    still = answer[answer.index("'>") :]
    assert (
        "<details><summary>What it was, and why</summary><pre>It was: 2.\n1? Who &lt;else&gt;?</pre>"
        in still
    )
