"""The one place where a value may be anything: JSON, where it is read or written. Inside, everything has a type."""

from __future__ import annotations

from typing import Any, TypeAlias

JsonObject: TypeAlias = dict[str, Any]
