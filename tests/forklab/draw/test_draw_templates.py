"""Templates: nothing that is put into them is taken for HTML, and nobody loads them who writes none."""

from __future__ import annotations

import subprocess
import sys
from html import escape

import pytest
from jinja2 import UndefinedError

from forklab.draw.scrolling import scrolling
from forklab.draw.templates import template

WITHOUT_A_PAGE = """
import sys
from forklab.command.main import main
from forklab.draw.film.page import film_html
from forklab.draw.lanes.picture import lanes_svg
from forklab.draw.trees.picture import tree_svg
from forklab.draw.trees.text import alt_text
from forklab.history import History, HistoryBuilder, Process
builder = HistoryBuilder()
builder.start(Process("P", 1000, None), 0)
tree_svg(builder.history.tree()), lanes_svg(builder.history), alt_text(builder.history.tree())
assert "jinja2" not in sys.modules
film_html(History())
assert "jinja2" in sys.modules
"""


def test_a_command_that_writes_no_page_does_not_load_what_makes_pages() -> None:
    subprocess.run([sys.executable, "-c", WITHOUT_A_PAGE], check=True, timeout=60)


def test_whatever_is_put_into_a_template_is_text() -> None:
    evil = "<script>\"&'"
    assert f"<b>{escape(evil)}</b>" in template("draw/outcomes/reason.html")(
        verdict=evil, argument=""
    )
    assert f'aria-label="{escape(evil)}"' in scrolling("<svg/>", evil)


def test_a_name_that_a_template_needs_and_does_not_get_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        template("draw/outcomes/reason.html")()
