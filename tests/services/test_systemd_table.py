"""docs/systemd.md says what the facts, the records and the verdicts say."""

from __future__ import annotations

from facts import facts, records, versions
from table import DOCUMENT, with_section
from verdicts import verdicts


def test_the_document_is_up_to_date() -> None:
    document = DOCUMENT.read_text()
    assert document == with_section(document), "type: .venv/bin/python tests/services/table.py"


def test_every_fact_has_a_name_of_its_own_and_is_told_in_a_sentence() -> None:
    names = [fact.name for fact in facts()]
    assert len(names) == len(set(names))
    assert all(fact.says.endswith((".", "`")) and len(fact.says) < 200 for fact in facts())


def test_every_fact_was_recorded_from_each_version() -> None:
    names = [fact.name for fact in facts()]
    assert len(versions()) > 1
    assert all(list(records(version)) == names for version in versions())


def test_every_verdict_is_about_a_fact_and_has_a_reason() -> None:
    found = verdicts()
    names = {fact.name for fact in facts()}
    assert found.different.keys() | found.not_meant.keys() <= names
    assert not found.different.keys() & found.not_meant.keys()
    assert all(len(why) > 20 for why in (*found.different.values(), *found.not_meant.values()))
