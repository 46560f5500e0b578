"""Questions and answers in a real browser: clicked, remembered, and folded out for who has predicted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import BROWSER
from playwright.sync_api import Browser, Locator, Page

from forklab.notebook.prediction import Answer, Question

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not BROWSER, reason="needs chromium"),
]

WHAT = Question("What is it?", ("running", "gone", "a <zombie>"))
WHY = {"running": "It has ended.", "gone": "Who has waited?"}
MANY = Question("How many?")


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    page.close()
    assert complaints == []


def write(folder: Path, *outputs: Question | Answer) -> str:
    """A page with these outputs; its address."""
    shown = [output._repr_mimebundle_()["text/html"] for output in outputs]
    (folder / "page.html").write_text('<meta charset="utf-8">' + "\n".join(shown))
    return (folder / "page.html").as_uri()


def answers(page: Page) -> Locator:
    return page.locator(".forklab-answer")


def said(answer: Locator) -> str:
    """What is to be read once it is unfolded, in one line."""
    answer.evaluate("answer => { answer.open = true }")
    return " ".join(answer.locator("div").inner_text().split())


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ("running", "You said running, but it was a <zombie>."),
        ("a <zombie>", "You said a <zombie>, and so it was. Well seen!"),
    ],
)
def test_an_answer_tells_who_has_clicked(
    page: Page, tmp_path: Path, choice: str, words: str
) -> None:
    page.goto(write(tmp_path, WHAT, Answer("a <zombie>", WHY, question=WHAT.name)))
    assert said(answers(page)).startswith("It was: a <zombie>. running?")
    page.get_by_label(choice).check()
    assert said(answers(page)).startswith(words)
    assert page.locator(".answer-own").all_inner_texts() == [
        f"{wrong}? {reason}" for wrong, reason in WHY.items() if wrong == choice
    ]


def test_an_answer_is_folded_until_who_has_chosen_runs_it(page: Page, tmp_path: Path) -> None:
    page.goto(write(tmp_path, WHAT, Answer("gone", question=WHAT.name)))
    page.get_by_label("gone").check()
    assert not answers(page).evaluate("answer => answer.open")
    page.reload()  # as when the cell is run: now the choice is there before the answer
    assert page.get_by_label("gone").is_checked()
    assert answers(page).evaluate("answer => answer.open")


def test_an_answer_is_only_for_its_own_question(page: Page, tmp_path: Path) -> None:
    page.goto(write(tmp_path, WHAT, MANY, *(Answer("3", question=q.name) for q in (WHAT, MANY))))
    page.get_by_label("How many?").fill(" 4 ")
    of_what, of_many = answers(page).all()
    assert said(of_many) == "You said 4, but it was 3."
    assert said(of_what) == "It was: 3."
    page.get_by_label("How many?").fill("1 ,4, ")
    assert said(of_many).startswith("You said 1, 4, but")
    page.get_by_label("How many?").fill("")
    assert said(of_many) == "It was: 3."


def test_arrow_keys_choose_and_a_reader_of_the_screen_is_told(page: Page, tmp_path: Path) -> None:
    page.goto(write(tmp_path, WHAT))
    assert page.get_by_role("group", name="What is it?").count() == 1
    page.get_by_role("radio", name="running").focus()
    page.keyboard.press("ArrowRight")
    assert page.get_by_role("radio", name="gone").is_checked()
    assert page.locator("[aria-live=polite]").inner_text().startswith("You say: gone.")


def test_an_answer_that_is_out_of_the_page_for_a_while_learns_of_the_choice(
    page: Page, tmp_path: Path
) -> None:
    page.goto(write(tmp_path, WHAT, Answer("gone", question=WHAT.name)))
    page.evaluate("window.away = document.querySelector('.forklab-answer'); away.remove()")
    page.get_by_label("gone").check()
    page.evaluate("document.body.append(away)")
    assert said(answers(page)).startswith("You said gone, and so it was.")


def test_a_page_without_a_storage_remembers_nothing_and_complains_of_nothing(
    page: Page, tmp_path: Path
) -> None:
    address = write(tmp_path, WHAT, Answer("gone", question=WHAT.name))
    (tmp_path / "frame.html").write_text(
        f"<iframe sandbox='allow-scripts' src='{address}' width=600 height=400></iframe>"
    )
    page.goto((tmp_path / "frame.html").as_uri())
    frame = page.frame_locator("iframe")
    frame.get_by_label("gone").check()
    frame.locator(".forklab-answer").evaluate("answer => { answer.open = true }")
    assert "Well seen!" in frame.locator(".forklab-answer").inner_text()


def test_what_stands_in_the_cell_counts_as_clicked(page: Page, tmp_path: Path) -> None:
    asked = Question(WHAT.asked, WHAT.choices, "gone")
    page.goto(write(tmp_path, asked, Answer("gone", mine="gone", question=asked.name)))
    assert page.get_by_label("gone").is_checked()
    assert answers(page).evaluate("answer => answer.open")
