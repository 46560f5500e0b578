"""The JSON Schema holds what histories are, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from any_history import KINDS, histories
from hypothesis import given
from jsonschema import Draft202012Validator

from forklab.history import History, HistoryBuilder, Process
from forklab.schema import history_schema

VALIDATOR = Draft202012Validator(history_schema())
RUN = {
    "seed": 0,
    "real_time": False,
    "exit": 3,
    "signal": None,
    "reproducible": True,
    "reasons": [],
    "pids": "real",
    "seconds": 100.0,
    "trouble": None,
    "output": "hello\n",
}


@pytest.fixture
def form() -> dict[str, Any]:
    """The JSON of P, who forks a child and reaps it."""
    builder = HistoryBuilder()
    builder.start(Process("P", 1000, None), 0)
    builder.fork(Process("P.1", 1001, "P"), 0)
    builder.add("exit", "P.1", 10, status=3)
    builder.add("reaped", "P.1", 10, by="P", status=3)
    return builder.history.to_json()


def conforms(form: Any) -> bool:
    return VALIDATOR.is_valid(form)


def test_the_schema_is_a_schema():
    Draft202012Validator.check_schema(history_schema())


@given(histories())
def test_every_history_conforms(history: History):
    form = json.loads(json.dumps(history.to_json()))
    assert conforms(form)
    assert History.from_json(form) == history


def test_every_kind_of_event_has_its_form_and_its_description():
    kinds = history_schema()["$defs"]["event"]["oneOf"]
    assert [kind["properties"]["kind"]["const"] for kind in kinds] == list(KINDS)
    assert all(kind["description"] for kind in kinds)


def test_no_key_may_be_missing(form):
    for owner in (form, form["processes"][0], *form["events"]):
        for key in list(owner):
            value = owner.pop(key)
            assert not conforms(form), f"{owner} without {key}"
            owner[key] = value
    assert conforms(form)


def test_no_key_may_be_added(form):
    form["run"] = dict(RUN)
    for owner in (form, form["run"], form["processes"][0], *form["events"]):
        owner["colour"] = "red"
        assert not conforms(form), owner
        del owner["colour"]
    assert conforms(form)


@pytest.mark.parametrize(
    ("number", "change"),
    [
        (0, {"kind": "vanish"}),
        (0, {"status": 3}),
        (1, {"child": 1001}),
        (2, {"status": -9}),
        (2, {"status": 256}),
        (2, {"status": "3"}),
        (2, {"t": -1}),
        (2, {"n": -1}),
        (3, {"status": -65}),
        (3, {"by": None}),
    ],
)
def test_an_event_that_cannot_be_does_not_conform(form, number, change):
    form["events"][number] |= change
    assert not conforms(form)


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_another_version_does_not_conform(form, version):
    form["version"] = version
    assert not conforms(form)


@pytest.mark.parametrize("change", [{"pid": 0}, {"pid": "1000"}, {"parent": 1}, {"reaper": "yes"}])
def test_a_process_that_cannot_be_does_not_conform(form, change):
    form["processes"][0] |= change
    assert not conforms(form)


def test_a_run_says_all_or_is_not_there(form):
    form["run"] = dict(RUN)
    assert conforms(form)
    for key in RUN:
        form["run"] = {name: value for name, value in RUN.items() if name != key}
        assert not conforms(form), key


@pytest.mark.parametrize(
    ("key", "value"),
    [("pids", "made up"), ("seed", 0.5), ("exit", 256), ("reasons", [1]), ("real_time", None)],
)
def test_a_run_that_cannot_be_does_not_conform(form, key, value):
    form["run"] = RUN | {key: value}
    assert not conforms(form)


def test_whoever_changes_the_schema_changes_a_copy():
    history_schema().clear()
    assert history_schema()
