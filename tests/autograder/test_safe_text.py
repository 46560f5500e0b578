"""Strangers' text can be shown anywhere."""

from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from autograder.safe_text import one_line, safe_text

any_text = st.text(st.characters(exclude_categories=[]), max_size=30)


@given(any_text)
def test_what_is_printable_survives_utf8_and_xml(text: str) -> None:
    shown = safe_text(text)
    shown.encode()
    element = ElementTree.Element("text")
    element.text = shown
    assert (ElementTree.fromstring(ElementTree.tostring(element)).text or "") == shown


@given(any_text)
def test_printing_twice_changes_nothing(text: str) -> None:
    assert safe_text(safe_text(text)) == safe_text(text)


def test_an_escape_sequence_is_shown_and_not_obeyed() -> None:
    assert safe_text("\x1b[2J\x07 ok\n") == "\\x1b[2J\\x07 ok\n"


def test_bytes_that_are_no_text_are_shown_as_bytes() -> None:
    assert one_line(b"caf\xe9\n".decode(errors="surrogateescape")) == "caf\\xe9\\n"


def test_a_name_cannot_turn_the_reading_direction() -> None:
    assert one_line("ben\u202egpj.c") == "ben\\u202egpj.c"


def test_what_xml_forbids_is_escaped() -> None:
    assert safe_text("a\ufffeb\uffffc") == "a\\ufffeb\\uffffc"


def test_letters_of_every_script_stay_as_they_are() -> None:
    assert one_line("Gödel 陈伟 فاطمة 🐧") == "Gödel 陈伟 فاطمة 🐧"
