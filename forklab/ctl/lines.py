"""Records of the journal as lines, as journalctl prints them."""

from __future__ import annotations

import time

from forklab.services.journal import Record


def short(record: Record) -> str:
    """`Nov 30 12:00:00 web.service[4711]: listening`."""
    at = time.strftime("%b %d %H:%M:%S", time.localtime(record.time))
    pid = f"[{record.pid}]" if record.pid else ""
    return f"{at} {record.unit or 'manager'}{pid}: {_printable(record.text)}"


def _printable(text: str) -> str:
    """What would move the cursor or worse is not shown: a service shall not write on somebody's terminal."""
    if text.replace("\t", " ").isprintable():
        return text
    return f"[{len(text.encode(errors='surrogateescape'))}B blob data]"
