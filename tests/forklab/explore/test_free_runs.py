"""Free runs are waited for as long as somebody in them may still do something, and no longer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import free_runs
import pytest
from free_runs import FOR_EVER

from forklab.source import program_of

pytestmark = pytest.mark.usefixtures("pid_namespaces")


@contextmanager
def compiled(body: str) -> Iterator[str]:
    with program_of(
        "c", f"#include <unistd.h>\nint main(void) {{ {body} return 3; }}\n"
    ) as program:
        assert program.path is not None
        yield program.path


def test_who_waits_for_ever_is_seen_to_be_at_rest(folder: Path) -> None:
    wait = "int ends[2]; char one; if (pipe(ends) == 0 && read(ends[0], &one, 1)) return 4;"
    with compiled(f"if (fork() == 0) {{ {wait} }} else {{ {wait} }}") as program:
        assert free_runs.free_runs(program, folder, 2) == {FOR_EVER}


def test_a_child_that_nobody_waits_for_may_be_the_one_that_waits_for_ever(folder: Path) -> None:
    with compiled("if (fork() == 0) pause();") as program:
        assert free_runs.free_runs(program, folder, 2) == {FOR_EVER}


def test_who_runs_now_and_then_is_not_at_rest(folder: Path) -> None:
    naps = "for (int count = 0; count < 20; count++) usleep(20000);"
    with compiled(f'{naps} if (write(1, "a", 1) != 1) return 4;') as program:
        assert free_runs.free_runs(program, folder, 2) == {("a", 3)}


def test_who_works_is_not_at_rest(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(free_runs, "DEADLINE", 4 * free_runs.REST)
    with compiled("for (;;) { }") as program, pytest.raises(TimeoutError):
        free_runs.free_runs(program, folder, 1)
