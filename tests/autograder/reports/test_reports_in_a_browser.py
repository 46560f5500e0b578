"""The report in a real browser, from a file: offline, in light and dark, filtered, played and printed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from chromium import BROWSER
from made_up_class import ASKED, CLASS, failed

from autograder.grading.gradebook import Gradebook
from autograder.grading.records import Result
from autograder.reports.write import write_reports
from autograder.trial.verdict import Assessment

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not BROWSER, reason="no chromium is installed"),
]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("browser")
    with Gradebook(out / "gradebook.sqlite") as book:
        run = book.begin("init", "Write an init", ASKED, [*sorted(CLASS), "zoe"])
        for number, (student, found) in enumerate(CLASS.items()):
            book.record(run, Result(student, found, 0.5 + number))
        write_reports(book, run, out)
    return out / "report"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=BROWSER, args=["--no-sandbox"], headless=True
        )
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A page that fails the test if anything is said on its console or asked of a network."""
    context = browser.new_context(offline=True, viewport={"width": 1200, "height": 900})
    found = context.new_page()
    said: list[str] = []
    found.on("console", lambda message: said.append(message.text))
    found.on("pageerror", lambda error: said.append(str(error)))
    found.on("request", lambda r: None if r.url.startswith("file:") else said.append(r.url))
    yield found
    context.close()
    assert said == []


def shown(page: Any) -> list[str]:
    names: list[str] = page.locator(".grid tbody tr:visible th").all_inner_texts()
    return names


def test_the_filter_finds_by_name_status_and_scenario(page: Any, report: Path) -> None:
    page.goto((report / "index.html").as_uri())
    assert len(shown(page)) == len(CLASS) + 1
    page.fill("input[name=student]", "DO")
    assert shown(page) == ["dora"]
    page.fill("input[name=student]", "")
    page.select_option("select[name=status]", "passed")
    assert shown(page) == ["ada"]
    page.select_option("select[name=status]", "none")
    assert shown(page) == ["zoe"]
    page.select_option("select[name=status]", "")
    page.select_option("select[name=scenario]", label="03_orphan")
    assert shown(page) == ["ben", "emil"], "dora's program was not built: it failed in no scenario"
    assert page.inner_text("output") == f"2 of {len(CLASS) + 1} students"


def test_the_class_is_sorted_by_score_and_back_by_name(page: Any, report: Path) -> None:
    page.goto((report / "index.html").as_uri())
    page.select_option("select[name=status]", "failed")
    page.get_by_role("button", name="score").click()
    lowest = ["emil", "chen wei", "ben", "Gödel", "<script>alert('h')</script>"]
    assert shown(page) == lowest
    assert page.locator("th[aria-sort=ascending]").inner_text().startswith("score")
    page.get_by_role("button", name="score").click()
    assert shown(page) == lowest[::-1]
    page.select_option("select[name=status]", "")
    assert shown(page)[-1] == "zoe", "who is not graded yet has no score"
    page.get_by_role("button", name="student").click()
    assert shown(page)[1:4] == ["ada", "ben", "chen wei"]
    assert page.locator("th[aria-sort]").count() == 1


def test_a_matrix_of_many_scenarios_prints_on_a4(page: Any, tmp_path: Path) -> None:
    asked = [replace(ASKED[0], name=f"{n:02}_a_longer_name_{n}") for n in range(70)]
    verdicts = tuple(failed(one) for one in asked)
    with Gradebook(tmp_path / "gradebook.sqlite") as book:
        run = book.begin("init", "Write an init", asked, ["ada", "ben"])
        book.record(run, Result("ada", Assessment("init", "pidns", verdicts)))
        write_reports(book, run, tmp_path)
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 1047, "height": 700})  # 277 mm: A4, across, without margins
    page.goto((tmp_path / "report" / "index.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 1047
    assert page.evaluate("document.querySelector('.grid table').scrollWidth") <= 1047
    narrowest = page.evaluate(
        "Math.min(...[...document.querySelectorAll('.grid td.f')].map((e) => e.clientWidth))"
    )
    assert narrowest >= 9
    page.pdf(path=str(tmp_path / "index.pdf"), prefer_css_page_size=True)
    sizes = re.findall(rb"/MediaBox \[0 0 (\d+)[.\d]* (\d+)", (tmp_path / "index.pdf").read_bytes())
    assert set(sizes) == {(b"594", b"841"), (b"841", b"594")}


def test_who_has_an_error_stands_first(page: Any, report: Path) -> None:
    page.goto((report / "index.html").as_uri())
    assert shown(page)[0] == "fatima"


def test_a_failed_cell_leads_to_the_section(page: Any, report: Path) -> None:
    page.goto((report / "index.html").as_uri())
    page.locator("tr", has_text="ben").locator("td.f a").first.click()
    assert page.url.endswith("ben.html#03_orphan")
    assert page.locator("[id='03_orphan']").is_visible()


def test_the_film_plays_on_demand(page: Any, report: Path) -> None:
    page.goto((report / "ben.html").as_uri())
    assert len(page.frames) <= 3
    section = page.locator("section[id='03_orphan']")
    section.locator("summary", has_text="Watch").click()
    film = section.frame_locator("iframe")
    first = film.locator(".film-words").inner_text()
    assert film.locator(".film-clock").inner_text() == "at the beginning"
    film.locator(".film-forward").click()
    assert film.locator(".film-words").inner_text() != first
    film.locator(".film-time").press("End")
    assert film.locator(".film-clock").inner_text() == "line 6: child exits 0"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["index", "ben"])
def test_words_stand_out_in_light_and_dark(page: Any, report: Path, scheme: str, name: str) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto((report / f"{name}.html").as_uri())
    ratios: list[float] = page.evaluate(CONTRAST)
    assert len(ratios) > 20
    assert min(ratios) >= 4.5  # WCAG 2, level AA


def test_a_narrow_window_scrolls_no_sideways(page: Any, report: Path) -> None:
    page.set_viewport_size({"width": 320, "height": 700})
    for name in ("index", "ben"):
        page.goto((report / f"{name}.html").as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_it_prints_all_students_and_all_reasons(page: Any, report: Path, tmp_path: Path) -> None:
    for name, words in (("index", "Failed most"), ("ben", "What went wrong")):
        page.goto((report / f"{name}.html").as_uri())
        page.emulate_media(media="print")
        assert page.get_by_text(words).is_visible()
        assert not page.locator("form.filter").count() or page.locator("form.filter").is_hidden()
        file = tmp_path / f"{name}.pdf"
        page.pdf(path=str(file))
        assert file.stat().st_size > 10_000
        page.emulate_media(media="screen")


CONTRAST = """() => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (rgb) => {
    const [r, g, b] = rgb.map((c) => (c / 255 <= 0.03928 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (; element; element = element.parentElement) {
      const [r, g, b, a = 1] = channels(getComputedStyle(element).backgroundColor);
      if (a === 1) return [r, g, b];
    }
    return matchMedia("(prefers-color-scheme: dark)").matches ? [18, 18, 18] : [255, 255, 255];
  };
  const found = [];
  for (const element of document.querySelectorAll("h1, h2, h3, p, li, td, th, summary, pre, label, span")) {
    if (!element.offsetParent || !element.innerText.trim()) continue;
    const one = light(channels(getComputedStyle(element).color).slice(0, 3));
    const other = light(ground(element));
    found.push((Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05));
  }
  return found;
}"""
