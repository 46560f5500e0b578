"""JSON: what it can hold, and what is in that of a history, written down for other programs as a JSON Schema."""

from __future__ import annotations

import json
from importlib import resources

from forklab.jsonform import JsonObject


def history_schema() -> JsonObject:
    """The schema of what `History.to_json()` answers, of draft 2020-12; the caller may change it.

    It also allows the object `run` that `forklab run --json` adds: how the history was recorded and
    how its first process ended.
    """
    text = resources.files("forklab").joinpath("history.schema.json").read_text(encoding="utf-8")
    schema: JsonObject = json.loads(text)
    return schema
