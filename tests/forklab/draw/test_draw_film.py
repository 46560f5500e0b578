"""The film: complete without scripts, small, the same bytes each time, and safe with hostile texts."""

from __future__ import annotations

import json
import re
import subprocess
from importlib.resources import files
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from any_history import histories
from chromium import BROWSER
from hypothesis import given, settings
from test_draw_palette import contrast

from forklab.draw.characters import single_line
from forklab.draw.film.page import film_html
from forklab.draw.measure import LABEL_SIZE, text_width
from forklab.draw.palette import DARK, HUES, LIGHT
from forklab.draw.trees.description import ADOPTED
from forklab.draw.trees.text import alt_text
from forklab.history import History, HistoryBuilder, Process

PLAYER_STYLE = files("forklab.draw.film").joinpath("player.css").read_text(encoding="utf-8")
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def orphan() -> History:
    builder = HistoryBuilder()
    builder.start(Process("init", 1, None, reaper=True), 0)
    builder.start(Process("P", 1000, "init"), 0)
    builder.fork(Process("P.1", 1001, "P"), 0)
    builder.add("output", "P.1", 0, text="hello\n")
    builder.add("waits", "P", 1)
    builder.add("killed", "P", 90, signal="SIGTERM")
    builder.add("reparented", "P.1", 90, old="P", new="init")
    builder.add("reaped", "P", 90, by="init", status=-15)
    return builder.history


def hues(style: str) -> list[str]:
    return re.findall(r"\.hue-\d\{color:(#\w+)\}", style)


def story(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json">(.*?)</script>', page, re.DOTALL)
    assert found
    told: dict[str, Any] = json.loads(found[1])
    return told


def picture(page: str) -> ElementTree.Element:
    return ElementTree.fromstring(page[page.index("<svg") : page.index("</svg>") + len("</svg>")])


def groups(page: str) -> list[ElementTree.Element]:
    return picture(page).findall(f"{SVG}g/{SVG}g")


def test_there_is_a_frame_for_each_event_and_it_says_what_happened_when(orphan: History) -> None:
    frames = story(film_html(orphan))["frames"]
    assert [frame["caption"] for frame in frames] == [
        "init starts: it adopts orphans",
        "P starts",
        "P forks P.1",
        "P.1 writes “hello”",
        "P waits for any child",
        "SIGTERM kills P",
        "P.1 loses its parent: init adopts it",
        "init reaps P, which SIGTERM killed",
    ]
    assert [frame["clock"] for frame in frames][4:6] == ["at 1 s, 1 s later", "at 90 s, 89 s later"]


def test_without_scripts_the_last_frame_is_there_with_its_caption_and_all_output(
    orphan: History,
) -> None:
    page = film_html(orphan)
    classes = [group.get("class") for group in groups(page)]
    assert classes[-3:] == ["node running reaper", "node reaped", "node running"]
    assert "edge former" in classes and "edge adopted" in classes
    assert "init reaps P, which SIGTERM killed</span>" in page
    assert (
        '<div role="listitem" data-frame="3"><b class="hue-2">P.1</b><span>hello</span></div>'
        in page
    )
    assert 'class="film-controls" hidden' in page
    assert "P, pid 1000, child of init: killed by SIGTERM" in (
        picture(page).get("aria-label") or ""
    )


def test_the_script_finds_a_group_for_each_line_and_each_process_of_the_story(
    orphan: History,
) -> None:
    page = film_html(orphan)
    told = story(page)
    assert len(groups(page)) == told["lines"] + len(told["names"])
    for frame in told["frames"]:
        assert all(line < told["lines"] for line, _ in frame["lines"])
        assert all(card[0] < len(told["names"]) for card in frame["cards"])


def test_a_process_appears_when_it_is_born_and_nothing_moves(orphan: History) -> None:
    frames = story(film_html(orphan))["frames"]
    born = [card[0] for card in frames[2]["cards"]]
    assert [story(film_html(orphan))["names"][number] for number in born] == ["P.1"]
    assert "transform" not in json.dumps(frames)


def test_it_opens_where_it_is_asked_to(orphan: History) -> None:
    assert story(film_html(orphan))["start"] == 0
    assert story(film_html(orphan, start=5))["start"] == 5
    assert story(film_html(orphan, start=99))["start"] == len(orphan.events) - 1


def test_a_page_stands_alone_and_fetches_nothing(orphan: History) -> None:
    page = film_html(orphan, title="a <b> & c")
    assert page.startswith("<!DOCTYPE html>") and "<title>a &lt;b&gt; &amp; c</title>" in page
    addresses = set(re.findall(r"https?://[^\"'\s)]+", page))
    assert addresses == {"http://www.w3.org/2000/svg"}  # a name, not a place
    assert not re.search(r"<(link|img|iframe)|@import|url\(|\ssrc=", page)


def test_any_number_of_films_can_stand_on_one_page(orphan: History) -> None:
    fragment = film_html(orphan, page=False)
    assert fragment == film_html(orphan, page=False)
    assert fragment.startswith("<section") and " id=" not in fragment


def test_hostile_texts_stay_texts() -> None:
    evil = "</script><script>alert('1')</script>\"&\x00\x1b[31m"
    builder = HistoryBuilder()
    builder.start(Process(evil, 1000, None), 0)
    builder.add("exec", evil, 0, argv=(evil, evil))
    builder.add("output", evil, 0, text=evil)
    page = film_html(builder.history, title=evil)
    assert page.count("<script") == page.count("</script>") == 2
    assert story(page)["names"] == [single_line(evil)]
    assert picture(page) is not None


@pytest.mark.parametrize("text", ["\ud800", "\x00", "\x1b[31m"])
def test_text_that_no_file_can_hold_is_shown_as_unknown_characters(text: str) -> None:
    builder = HistoryBuilder()
    builder.start(Process(text, 1000, None), 0)
    builder.fork(Process(f"{text}.1", 1001, text), 0)
    builder.add("exec", text, 0, argv=(text,))
    builder.add("output", text, 0, text=f"a{text}\tb\nc\n")
    page = film_html(builder.history, title=text).encode().decode()
    assert text not in page and text not in json.dumps(story(page), ensure_ascii=False)
    assert f"<span>a{single_line(text)}\tb\nc</span>" in page


def test_whoever_writes_has_a_colour_of_the_style_sheet_in_light_and_in_dark() -> None:
    assert [PLAYER_STYLE.count(f".hue-{number}{{color:") for number in range(HUES)] == [2] * HUES
    assert all(contrast(colour, LIGHT.paper) >= 4.5 for colour in hues(PLAYER_STYLE)[:HUES])
    assert all(contrast(colour, DARK.paper) >= 4.5 for colour in hues(PLAYER_STYLE)[HUES:])


def test_the_word_at_an_adoption_is_beside_the_card_and_not_behind_it(orphan: History) -> None:
    page = film_html(orphan)
    cards = groups(page)[story(page)["lines"] :]
    (word,) = (t for t in picture(page).iter(f"{SVG}text") if t.text == ADOPTED)
    width = text_width(ADOPTED, LABEL_SIZE)
    right = float(word.get("x", "")) + (0 if "before" in word.get("class", "") else width)
    for card in cards:
        x, y = map(float, re.findall(r"[-\d.]+", card.get("transform", "")))
        (shape,) = card.findall(f"{SVG}rect[@class='shape']")
        across = x < right and right - width < x + float(shape.get("width", ""))
        assert not (across and y < float(word.get("y", "")) < y + float(shape.get("height", "")))


def test_nothing_is_a_film_too() -> None:
    assert "Nothing happened." in film_html(History())


def test_a_crowd_is_drawn_in_part_and_that_is_said() -> None:
    builder = HistoryBuilder()
    builder.start(Process("P", 1000, None), 0)
    for number in range(1, 100):
        builder.fork(Process(f"P.{number}", 1000 + number, "P"), 0)
    page = film_html(builder.history)
    assert "40 more processes are told of, but not drawn." in page
    assert len(story(page)["frames"]) == 100


def test_a_film_of_200_events_is_smaller_than_200_kilobytes() -> None:
    builder = HistoryBuilder()
    builder.start(Process("P", 1000, None), 0)
    for number in range(1, 50):
        name = f"P.{number}"
        builder.fork(Process(name, 1000 + number, "P"), number)
        builder.add("output", name, number, text=f"this is what {name} has to say\n")
        builder.add("exit", name, number, status=number)
        builder.add("reaped", name, number + 0.5, by="P", status=number)
    assert len(film_html(builder.history).encode()) < 200_000


@settings(max_examples=30)
@given(histories())
def test_every_history_is_a_film_whose_last_frame_is_its_tree(history: History) -> None:
    page = film_html(history)
    told = story(page) if history.events else {"frames": []}
    assert len(told["frames"]) == len(history.events)
    if history.events:
        drawn = [
            (group.findtext(f"{SVG}text[@class='name']") or "", str(group.get("class")).split()[1])
            for group in groups(page)[told["lines"] :]
        ]
        tree = [(single_line(node.name), str(node.state)) for node in history.tree()]
        assert sorted(drawn) == sorted(tree)


@pytest.mark.skipif(not BROWSER, reason="needs chromium")
def test_a_browser_opens_it_at_its_frame_with_its_controls(orphan: History, tmp_path: Path) -> None:
    film = tmp_path / "film.html"
    film.write_text(film_html(orphan, start=4))
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    done = subprocess.run(
        [BROWSER, *flags, f"--user-data-dir={tmp_path}", film.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    page = done.stdout
    assert 'class="forklab-film film-ready"' in page
    assert 'class="film-controls" hidden' not in page
    assert "P waits for any child</span>" in page
    assert 'aria-valuetext="5 of 8: P waits for any child"' in page
    assert f'aria-label="{alt_text(orphan.tree(4))}"' in page
    classes = re.findall(r'<g class="([^"]*)"', page)
    assert classes[-2:] == ["node waiting actor", "node running"]
    assert "edge adopted" not in classes and "absent" in classes
