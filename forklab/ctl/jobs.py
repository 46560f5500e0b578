"""Verbs that let the manager do something."""

from __future__ import annotations

import sys
from collections.abc import Callable

from forklab.ctl.asking import Answer
from forklab.ctl.context import Context, some


def job(verb: str) -> Callable[[Context, list[str]], int]:
    def ask(context: Context, names: list[str]) -> int:
        some(names)
        return _tell(context.manager.ask(verb, names, wait=not context.asked.no_block))

    return ask


def kill(context: Context, names: list[str]) -> int:
    some(names)
    how = {"signal": context.asked.signal, "whom": context.asked.kill_whom}
    return _tell(context.manager.ask("kill", names, **how))


def reset_failed(context: Context, names: list[str]) -> int:
    return _tell(context.manager.ask("reset-failed", names))


def daemon_reload(context: Context, names: list[str]) -> int:
    return _tell(context.manager.ask("daemon-reload"))


def leave(context: Context, names: list[str]) -> int:
    return _tell(context.manager.ask("exit"))


def _tell(answer: Answer) -> int:
    for words in answer.words:
        print(words, file=sys.stderr)
    return answer.status
