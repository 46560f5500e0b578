"""The exercises of "Dependencies", as a reader solves them, or does not."""

from __future__ import annotations

import pytest
from IPython.core.interactiveshell import InteractiveShell
from reader import Change, answer_to

DEPENDENCIES = "14_dependencies.ipynb"

CACHE = "Requires=cache.service\n"
ORDER = "After=cache.service\n"
NETWORK_FIRST = ("# disk.service\n[Unit]\nAfter=network.service\n\n", "# disk.service\n")
DISK_FIRST = ("# cache.service\n[Unit]\nAfter=disk.service\n\n", "# cache.service\n")
DATABASE_WAITS = ("Requires=disk.service\nAfter=disk.service\n", "Requires=disk.service\n")
LOGGER_FIRST = ("Requires=logger.service\nAfter=logger.service\n", "Requires=logger.service\n")


@pytest.mark.parametrize(
    ("new", "words"),
    [
        ("Wants=cache.service\n" + ORDER, "Right!\n"),
        (CACHE + ORDER, "Not yet. web waits, but then it is not started"),
        pytest.param("Wants=cache.service\n", "Not yet. web does not wait", marks=pytest.mark.slow),
        pytest.param(ORDER, "Not yet. Leave the cache as it is", marks=pytest.mark.slow),
    ],
)
def test_who_can_do_without_only_wants(shell: InteractiveShell, new: str, words: str) -> None:
    assert answer_to(shell, DEPENDENCIES, 1, (CACHE, new)).startswith(words)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ([NETWORK_FIRST, DISK_FIRST], "Right!\n"),
        ([NETWORK_FIRST], "Right!\n"),  # the cache is not on the longest way
        pytest.param([DISK_FIRST], "Not yet. Still 7 seconds.", marks=pytest.mark.slow),
        pytest.param(
            [NETWORK_FIRST, DATABASE_WAITS],
            "Not yet. The database shall start when the disk",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            [("Wants=web.service\n", "")],
            "Not yet. Not started any more: network, disk",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_only_the_longest_way_counts(
    shell: InteractiveShell, changes: list[Change], words: str
) -> None:
    assert answer_to(shell, DEPENDENCIES, 2, *changes).startswith(words)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ([LOGGER_FIRST], "Right!\n"),
        ([(LOGGER_FIRST[0], "Wants=logger.service\n")], "Right!\n"),
        pytest.param(
            [(LOGGER_FIRST[0], "")],
            "Not yet. The database shall still want the logger",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            [(LOGGER_FIRST[0], "Wants=logger.service\nAfter=logger.service\n")],
            "Not yet. It is refused",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            [
                (
                    "Requires=database.service\nAfter=database.service\n",
                    "Requires=database.service\n",
                )
            ],
            "Not yet. The logger is started at second 0",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_circle_is_opened_where_no_order_is_needed(
    shell: InteractiveShell, changes: list[Change], words: str
) -> None:
    assert answer_to(shell, DEPENDENCIES, 3, *changes).startswith(words)
