"""What a notebook keeps of a film: a picture and words for where no scripts run, the film for where they do."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser

from forklab.draw.stylesheet import following_the_page, with_what_it_wears
from forklab.draw.trees.picture import tree_svg
from forklab.history import HistoryBuilder, Process
from forklab.notebook.still import Still, still_html

DARK_RULES = "@media screen and (prefers-color-scheme:dark){\n.a b,.c{color:#111}\n}\n"
FILM = f"<style>\n{DARK_RULES}</style><p title='x'>&amp; \"alive\"</p>"


class Reader(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data


def picture() -> str:
    builder = HistoryBuilder()
    builder.start(Process("P", None, 1000), 0)
    return tree_svg(builder.history.tree())


def test_without_scripts_there_are_a_heading_a_picture_and_words_and_nothing_of_the_film() -> None:
    still = Still(
        "P <1000>", heading="P starts", picture=picture(), alt="One process.", folded="In words"
    )
    read = Reader(still_html(still, FILM))
    tags = [tag for tag, _ in read.tags]
    assert tags == ["div", "div", "b", "div", "img", "details", "summary", "pre", "script"]
    (image,) = (attributes for tag, attributes in read.tags if tag == "img")
    assert image["alt"] == "One process."
    kind, _, data = (image["src"] or "").partition(";base64,")
    assert kind == "data:image/svg+xml"
    assert ">P</text>" in base64.b64decode(data).decode()
    assert "P <1000>" in read.words
    assert "alive" not in read.words


def test_with_scripts_the_film_takes_its_place_as_it_was() -> None:
    living = Reader(still_html(Still("words"), FILM)).tags[0][1]["data-forklab"]
    assert living is not None
    assert "<p title='x'>&amp; \"alive\"</p>" in living


def test_a_script_that_a_sanitizer_shows_as_text_is_short() -> None:
    _, _, script = still_html(Still("words"), FILM).rpartition("<script>")
    assert len(script) < 500


def test_dark_rules_follow_the_theme_of_the_page() -> None:
    themed = following_the_page(FILM)
    assert "prefers-color-scheme" not in themed
    dark = "[data-forklab-theme=dark]"
    assert f"@media screen{{\n{dark} .a b,{dark} .c{{color:#111}}\n}}" in themed


def test_a_picture_keeps_the_rules_for_what_is_in_it() -> None:
    kept = with_what_it_wears(picture())
    assert len(kept) < 0.7 * len(picture())
    assert ".forklab-tree .running rect" in kept
    assert "zombie" not in kept
    assert re.search(r"prefers-color-scheme:dark\)\{\n(.+\n)+\}", kept)
