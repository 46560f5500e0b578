"""What real systemd answered to what is typed in a cell: recorded once (`make oracle`), shown beside our answers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, Final

from IPython.core.error import UsageError

from forklab.notebook.units import Answer, UnitsRun

RECORD: Final = Path(__file__).with_name("systemd.json")


@dataclass(frozen=True)
class OnSystemd:
    """The answers of real systemd, and ours to the same lines."""

    version: str
    date: str
    answers: Sequence[Answer]
    ours: Sequence[Answer]

    @property
    def output(self) -> str:
        return "".join(map(str, self.answers))

    @property
    def text(self) -> str:
        """Its terminal; what is the same as ours is not shown once more."""
        pairs = zip(self.answers, self.ours, strict=True)
        return "".join(_same(its) if its == mine else str(its) for its, mine in pairs)

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        words = f"On {self.version}, {self.date}:"
        return {
            "text/plain": f"{words}\n{self.text}",
            "text/html": f"<p><b>{escape(words)}</b></p>\n<pre><code>{escape(self.text)}</code></pre>",
        }


@dataclass(frozen=True)
class RestartTable:
    """Of each Restart=: after which ends systemd starts a service again. Each row is folded until somebody asks."""

    version: str
    rows: Mapping[str, Mapping[str, bool]]

    def after(self, policy: str) -> list[str]:
        """The ends after which it is started again."""
        return [end for end, again in self.rows[policy].items() if again]

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        words = {policy: ", ".join(self.after(policy)) or "nothing" for policy in self.rows}
        lines = [f"Restart={policy}: after {ends}" for policy, ends in words.items()]
        folded = [
            f"<details><summary><code>Restart={escape(policy)}</code></summary>"
            f"starts it again after <b>{escape(ends)}</b></details>"
            for policy, ends in words.items()
        ]
        return {"text/plain": "\n".join(lines), "text/html": "\n".join(folded)}


def restart_table() -> RestartTable:
    record = _record()
    return RestartTable(record["systemd"], record["restart"])


def on_systemd(run: UnitsRun) -> OnSystemd:
    """Raises UsageError if nobody has asked systemd about this."""
    record = _record()
    for each in record["scenes"]:
        answers = [Answer(**answer) for answer in each["answers"]]
        if each["files"] == run.scene.files and [a.typed for a in answers] == [*run.scene.typed]:
            return OnSystemd(record["systemd"], record["recorded"], answers, run.answers)
    raise UsageError(
        "What systemd answers is on record for the cell as it was. You have changed it:"
        " to compare, type it on a machine with systemd."
    )


def _same(answer: Answer) -> str:
    words = "    (the same)\n" if answer.out or answer.status else ""
    return f"$ {answer.typed}\n{words}"


def _record() -> Any:
    return json.loads(RECORD.read_text(encoding="utf-8"))
