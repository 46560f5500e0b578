"""A browser for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from chromium import BROWSER
from playwright.sync_api import Browser, sync_playwright


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield chromium
        chromium.close()
