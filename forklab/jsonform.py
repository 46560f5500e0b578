"""JSON, where it is written and read. Inside the house everything has a type of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

# What we write.
Json: TypeAlias = bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"] | None
# What json.loads makes of an object, before somebody has looked at it: the one place where a value may be anything.
JsonObject: TypeAlias = dict[str, Any]
