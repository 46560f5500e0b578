"""What services write becomes lines."""

from __future__ import annotations

from forklab.services.streams import LONGEST_LINE, Line, Lines


def cut(*pieces: bytes) -> list[str]:
    lines = Lines()
    return [line.text for piece in pieces for line in lines.take(piece, 1)] + [
        line.text for line in lines.end()
    ]


def test_a_line_ends_at_a_newline_or_a_nul() -> None:
    assert cut(b"one\ntwo\0three\n\n") == ["one", "two", "three"]


def test_a_line_that_has_no_end_waits_for_the_rest_whoever_writes_it() -> None:
    lines = Lines()
    assert lines.take(b"be", 1) == []
    assert lines.take(b"gun\nnext", 2) == [Line(2, 6, "begun")]
    assert lines.end() == [Line(2, 6, "next")]


def test_a_long_line_comes_in_pieces() -> None:
    long = b"x" * (2 * LONGEST_LINE + 5)
    assert list(map(len, cut(long[:70000], long[70000:] + b"\ny\n"))) == [
        LONGEST_LINE,
        LONGEST_LINE,
        5,
        1,
    ]
    assert len(cut(*[b"x" * 1000] * 100)) == 3


def test_a_priority_stands_in_front() -> None:
    lines = Lines()
    assert lines.take(b"<3>bad\n<9>no\n<3\n", 1) == [
        Line(1, 3, "bad"),
        Line(1, 6, "<9>no"),
        Line(1, 6, "<3"),
    ]


def test_what_is_no_text_is_kept_as_far_as_it_is() -> None:
    assert cut(b"\xff\xfea\n") == ["��a"]


def test_blanks_at_the_end_and_lines_of_nothing_are_nothing() -> None:
    assert cut(b"  one \t\r\n<3>\n <4>\n   \n<5> \ntwo  ") == ["  one", " <4>", "two"]
