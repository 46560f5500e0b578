"""Every notebook in real JupyterLab, in a real browser: what is kept can be read, all cells run, films play."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest
from chromium import BROWSER
from playwright.sync_api import Browser, Locator, Page
from playwright.sync_api import TimeoutError as TookTooLong
from reader import NOTEBOOKS, but_slowly, cells_of, source

TOKEN = "a-class-of-students"
SECONDS = 120

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not BROWSER, reason="needs chromium"),
]


class Lab(NamedTuple):
    """A JupyterLab whose folder holds copies of the notebooks, as a fresh clone does."""

    address: str
    home: Path
    environment: dict[str, str]

    def open(self, page: Page, path: str) -> None:
        """In a workspace of its own: else JupyterLab opens the notebook of the test before as well."""
        workspace = path.replace("/", "-").removesuffix(".ipynb")
        page.goto(f"{self.address}/lab/workspaces/{workspace}/tree/{path}?token={TOKEN}")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    home = tmp_path_factory.mktemp("jupyter")
    shutil.copytree(NOTEBOOKS, home / "notebooks")
    environment = os.environ | {f"JUPYTER_{kind}_DIR": str(home / kind) for kind in KINDS}
    with (home / "log").open("w+") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *OPTIONS, f"--notebook-dir={home}"],
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            yield Lab(address_in(home / "log", server), home, environment)
        finally:
            server.terminate()
            server.wait(30)


KINDS = ("CONFIG", "DATA", "RUNTIME")
OPTIONS = (
    "--no-browser",
    "--allow-root",
    "--ip=127.0.0.1",
    "--port=0",
    f"--IdentityProvider.token={TOKEN}",
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
)


def address_in(log: Path, server: subprocess.Popen[bytes]) -> str:
    """What the server says of itself once it listens."""
    while server.poll() is None:
        for line in log.read_text().splitlines():
            if "is running at:" in line and (found := line.partition("running at:")[2].strip()):
                return found.split("/lab")[0]
            if line.strip().startswith("[") and "http://127.0.0.1:" in line and "/lab" in line:
                return line[line.index("http://") :].split("/lab")[0]
    raise AssertionError(log.read_text())


@pytest.mark.parametrize("name", but_slowly("08_talking.ipynb"))
def test_kept_films_can_be_read_all_cells_run_and_a_film_can_be_moved(
    name: str, lab: Lab, browser: Browser
) -> None:
    page = browser.new_page(viewport={"width": 1100, "height": 1400})
    page.set_default_timeout(1000 * SECONDS)
    complaints: list[str] = []
    page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    lab.open(page, f"notebooks/{name}")
    look_before_running(page)
    run_all(page)
    films = sum(source(cell).startswith("%%lens") for cell in cells_of(name))
    page.wait_for_function(f"document.querySelectorAll('.film-ready').length >= {films}")
    choose(page)
    assert page.locator("[data-mime-type='application/vnd.jupyter.error']").count() == 0
    assert page.locator("[data-mime-type='application/vnd.jupyter.stderr']").count() == 0
    move(page)
    assert complaints == []
    page.close()


def test_in_a_trusted_notebook_films_live_before_a_cell_has_run_and_follow_the_theme(
    lab: Lab, browser: Browser
) -> None:
    name = "08_talking.ipynb"
    (lab.home / "trusted").mkdir()
    # Trust is in the content: the other copy stays untrusted.
    text = (NOTEBOOKS / name).read_text().replace("# How processes talk", "# They talk")
    (lab.home / "trusted" / name).write_text(text)
    trust = [sys.executable, "-m", "nbformat.sign", str(lab.home / "trusted" / name)]
    subprocess.run(trust, env=lab.environment, check=True, capture_output=True)
    # The system is dark, JupyterLab is not, and then it is.
    page = browser.new_page(viewport={"width": 520, "height": 1400}, color_scheme="dark")
    page.set_default_timeout(1000 * SECONDS)
    lab.open(page, f"trusted/{name}")
    page.wait_for_selector(".film-ready", state="attached")
    page.keyboard.press("Control+b")  # without the list of files, which would take half of the page
    assert page.locator("[data-forklab]").count() == 0
    move(page)
    film = page.locator(".film-ready").first
    assert background(film) == "rgb(255, 255, 255)"
    page.locator("div.lm-MenuBar-itemLabel", has_text="Settings").click()
    page.locator("li.lm-Menu-item", has_text="Theme").first.click()
    page.locator("li.lm-Menu-item", has_text="JupyterLab Dark").first.click()
    page.wait_for_selector("[data-forklab-theme=dark]", state="attached")
    assert background(film) == "rgb(17, 22, 28)"
    assert film.evaluate("film => film.scrollWidth <= film.clientWidth")
    page.close()


def background(film: Locator) -> str:
    return str(film.evaluate("film => getComputedStyle(film).backgroundColor"))


@pytest.mark.slow
@pytest.mark.parametrize("scripts", [True, False])
def test_an_exported_page_has_living_films_or_pictures(
    scripts: bool, browser: Browser, tmp_path: Path
) -> None:
    export = [sys.executable, "-m", "nbconvert", "--to", "html", f"--output-dir={tmp_path}"]
    subprocess.run([*export, NOTEBOOKS / "05_zombies.ipynb"], check=True, capture_output=True)
    page = browser.new_context(java_script_enabled=scripts).new_page()
    page.goto((tmp_path / "05_zombies.html").as_uri(), wait_until="domcontentloaded")
    films = sum(source(cell).startswith("%%lens") for cell in cells_of("05_zombies.ipynb"))
    assert page.locator(".film-ready").count() == (films if scripts else 0)
    assert page.locator(".forklab-still img").count() == (0 if scripts else films)
    page.context.close()


def choose(page: Page) -> None:
    """An answer, with the mouse and then with a key, which JupyterLab would have taken to go to another cell."""
    question = page.locator(".forklab-question[data-awake]").first
    question.locator("label").first.click()
    first = question.locator("p").inner_text()
    page.keyboard.press("ArrowRight")
    assert question.locator("input").nth(1).is_checked()
    assert first != question.locator("p").inner_text()
    answer = page.locator(".forklab-answer[data-awake]").first
    assert answer.get_attribute("data-said") in ("right", "wrong")


def look_before_running(page: Page) -> None:
    """JupyterLab trusts nothing in a fresh clone: films are pictures with words then, and no button is dead."""
    page.wait_for_selector(".jp-OutputArea-output img", state="attached")
    page.wait_for_function(
        "[...document.querySelectorAll('.jp-OutputArea-output img')]"
        ".every((picture) => picture.complete && picture.naturalWidth > 50)"
    )
    kept = page.locator(".jp-RenderedHTMLCommon:has(img)").first
    assert kept.locator("div b").first.inner_text()
    assert kept.locator("details pre").text_content()
    assert page.locator(".jp-OutputArea-output button").count() == 0


def run_all(page: Page) -> None:
    """Until the first film is there: JupyterLab may drop what is run while it still connects to the kernel."""
    page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status='idle']")
    for patience in (SECONDS / 4, SECONDS / 4, SECONDS):
        page.locator(".jp-Notebook .jp-Cell").first.click()
        page.locator("div.lm-MenuBar-itemLabel", has_text="Run").click()
        page.locator("li.lm-Menu-item", has_text="Run All Cells").first.click()
        with suppress(TookTooLong):
            page.wait_for_selector(".film-ready", state="attached", timeout=1000 * patience)
            return
    raise AssertionError(f"No cell has run: {page.locator('#jp-main-statusbar').inner_text()}")


def move(page: Page) -> None:
    """The slider and the keys of the first film, as a reader uses them."""
    film = page.locator(".film-ready").first
    film.scroll_into_view_if_needed()
    caption, count = film.locator(".film-words"), film.locator(".film-count")
    film.locator(".film-time").fill("1")
    assert count.inner_text().startswith("2 /")
    before = caption.inner_text()
    play = film.locator(".film-play")
    play.focus()  # JupyterLab would scroll, if it were asked
    page.keyboard.press("Space")
    assert play.inner_text() == "Pause"
    page.keyboard.press("Space")
    film.locator(".film-time").fill("1")
    film.focus()
    page.keyboard.press("ArrowRight")
    assert count.inner_text().startswith("3 /")
    assert caption.inner_text() != before
    page.keyboard.press("End")
    first, last = count.inner_text().split(" / ")
    assert first == last
