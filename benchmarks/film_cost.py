"""What a film costs: against drawing the same processes once, and in bytes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from forklab.draw.film.page import film_html
from forklab.draw.trees.picture import tree_svg
from forklab.draw.trees.render import layout
from forklab.history import History, HistoryBuilder, Process

ROUNDS = 5
EVENTS = 200


def main() -> None:
    history = family()
    film = film_html(history)  # which also loads Graphviz
    making = median(lambda: film_html(history))
    drawing = median(lambda: tree_svg(history.tree()))
    print(
        f"a film of {len(history.events)} events: {1000 * making:.0f} ms,"
        f" {making / drawing:.1f} times its tree alone; {len(film.encode()) / 1000:.0f} kB"
    )


def family() -> History:
    builder = HistoryBuilder()
    builder.start(Process("P", 1000, None), 0)
    for number in range(1, EVENTS // 4 + 1):
        name = f"P.{number}"
        builder.fork(Process(name, 1000 + number, "P"), number)
        builder.add("output", name, number, text=f"this is what {name} has to say\n")
        builder.add("exit", name, number, status=number)
        builder.add("reaped", name, number + 0.5, by="P", status=number)
    return builder.history


def median(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(ROUNDS):
        layout.cache_clear()
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


if __name__ == "__main__":
    main()
