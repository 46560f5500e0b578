"""A class is judged in one mode, also where machines differ."""

from __future__ import annotations

import pytest

from autograder.command.common_mode import common_mode
from autograder.errors import CommandError
from autograder.grading.cluster import Cluster
from autograder.stage.isolation import ModeChoice


class Client:
    """In place of dask's client: workers who say that they can judge so, the best mode first."""

    def __init__(self, **workers: str) -> None:
        self._able = {
            worker: [
                ModeChoice(mode, f"so it is in {worker}", (f"{mode} leaks",))
                for mode in modes.split()
            ]
            for worker, modes in workers.items()
        }

    def get_executor(self, *, pure: bool) -> None:
        """Nobody works here."""

    def run(self, fn: object, *arguments: object) -> dict[str, list[ModeChoice]]:
        return self._able


EVERYTHING = "virtual pidns virtual-subreaper subreaper"


@pytest.mark.parametrize(
    "asked, workers, mode, why",
    [
        (None, [EVERYTHING, EVERYTHING], "virtual", "so it is at each worker; so it is in A"),
        (None, [EVERYTHING, "pidns subreaper"], "pidns", "all workers can do; at B so it is in B"),
        (None, [EVERYTHING, "virtual-subreaper subreaper"], "virtual-subreaper", "at B so it is"),
        (None, [EVERYTHING, "pidns subreaper", "subreaper"], "subreaper", "at C so it is in C"),
        ("virtual", [EVERYTHING, "virtual-subreaper subreaper"], "virtual-subreaper", "you asked"),
        ("subreaper", [EVERYTHING, EVERYTHING], "subreaper", "as you asked"),
    ],
)
def test_a_class_is_judged_in_one_mode_at_all_workers(
    asked: str | None, workers: list[str], mode: str, why: str
) -> None:
    client = Client(**dict(zip("ABC", workers, strict=False)))
    choice = common_mode(Cluster(client), asked)
    assert (choice.mode, choice.lacks) == (mode, (f"{mode} leaks",))
    assert choice.why.endswith(why) or why in choice.why


def test_a_mode_that_one_worker_cannot_do_is_refused_with_its_reason() -> None:
    client = Client(A=EVERYTHING, B="pidns subreaper")
    with pytest.raises(CommandError, match=r"--mode virtual: the worker at B .*so it is in B"):
        common_mode(Cluster(client), "virtual")
