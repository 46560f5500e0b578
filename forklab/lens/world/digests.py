"""Digests of what has happened: of equal things they are equal, also in another run."""

from __future__ import annotations

from collections.abc import Hashable


def digest_of(*what: Hashable) -> str:
    import hashlib  # here: it loads OpenSSL, and only schedules have a use for it

    return hashlib.blake2b(repr(what).encode(), digest_size=8).hexdigest()
