"""Points and messages are short enough for a table."""

from __future__ import annotations

from autograder.reports.cells import first_sentence, number


def test_points_are_written_as_people_write_them() -> None:
    assert [number(x) for x in (5, 2.5, 1 / 3, 0, 10)] == ["5", "2.5", "0.33", "0", "10"]


def test_a_row_gets_the_first_sentence_only() -> None:
    assert first_sentence("It failed: because.\n    more") == "It failed"
    assert first_sentence("x" * 500, limit=20) == "x" * 19 + "…"
