"""Every notebook in real JupyterLab, in a real browser: all cells run, films play, nothing complains."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from chromium import BROWSER
from playwright.sync_api import Browser, Page, sync_playwright
from playwright.sync_api import TimeoutError as TookTooLong
from reader import NOTEBOOKS, but_slowly, cells_of, source

TOKEN = "a-class-of-students"
SECONDS = 120

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not BROWSER, reason="needs chromium"),
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a JupyterLab whose folder holds copies of the notebooks."""
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
            yield address_in(home / "log", server)
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


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.mark.parametrize("name", but_slowly("08_talking.ipynb"))
def test_all_cells_run_and_a_film_can_be_moved(name: str, lab: str, browser: Browser) -> None:
    page = browser.new_page(viewport={"width": 1100, "height": 1400})
    page.set_default_timeout(1000 * SECONDS)
    complaints: list[str] = []
    page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    # A workspace of its own: else JupyterLab opens the notebook of the test before as well.
    workspace = name.removesuffix(".ipynb")
    page.goto(f"{lab}/lab/workspaces/{workspace}/tree/notebooks/{name}?token={TOKEN}")
    run_all(page)
    films = sum(source(cell).startswith("%%lens") for cell in cells_of(name))
    page.wait_for_function(f"document.querySelectorAll('.film-ready').length >= {films}")
    assert page.locator("[data-mime-type='application/vnd.jupyter.error']").count() == 0
    assert page.locator("[data-mime-type='application/vnd.jupyter.stderr']").count() == 0
    move(page)
    assert complaints == []
    page.close()


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
    film.focus()
    page.keyboard.press("ArrowRight")
    assert count.inner_text().startswith("3 /")
    assert caption.inner_text() != before
    page.keyboard.press("End")
    first, last = count.inner_text().split(" / ")
    assert first == last
