"""Programs whose processes have nothing to do with each other: one run tells all, and it is the same that all tell."""

from __future__ import annotations

import random
from collections.abc import Iterator
from math import factorial

import pytest
from programs import Runnable

from forklab.explore import explore
from forklab.explore.exploration import Exploration
from forklab.explore.forest import Forest, forest_of
from forklab.explore.graph import explore_graph
from forklab.explore.harvest import TooManyOutcomesError, harvest
from forklab.explore.order import ProcessGraph, process_graph
from forklab.explore.replays import Replays
from forklab.explore.why import why
from forklab.source import program_of

HEAD = """\
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
"""


def forking(chance: random.Random, depth: int = 0) -> Iterator[str]:
    """What a process does: it forks, and writes one of two letters."""
    for _ in range(chance.randint(1, 3 - depth)):
        if depth < 2 and chance.random() < 0.4:
            yield "if (fork() == 0) {"
            yield from forking(chance, depth + 1)
            yield f"exit({chance.randint(0, 3)}); }}"
        else:
            yield f'puts("{chance.choice("ab")}");'


@pytest.mark.parametrize("seed", range(12))
def test_it_is_what_all_schedules_come_to(seed: int) -> None:
    lines = "\n".join(forking(random.Random(seed)))
    text = f'{HEAD}int main(void) {{ if (fork() == 0) {{ puts("c"); exit(0); }} {lines} }}'
    with (
        program_of("c", text) as program,
        Replays(program.argv, program=program.path) as replays,
    ):
        forest = forest_of(replays.play([]), replays.grain)
        assert forest is not None
        if len(forest.lives) > 5:
            pytest.skip("too many schedules to go through all")
        graph = explore_graph(replays)
    everything = harvest(graph, 100_000)
    assert forest.texts(10_000) == sorted({outcome.output for outcome in everything})
    assert forest.schedules() == graph.schedules()
    ours, theirs = forest.process_graph(), process_graph(graph)
    assert edges(ours) == edges(theirs)


def edges(graph: ProcessGraph) -> set[tuple[str, str]]:
    return {(repr(graph.vertices[a]), repr(graph.vertices[b])) for a, b in graph.edges}


def found(runnable: Runnable, body: str) -> Exploration:
    return explore(**runnable("c", f"{HEAD}int main(void) {{ {body} }}"))


EQUAL = {
    "four forks": ('fork(); fork(); fork(); fork(); printf("hello\\n");', 16),
    "five forks": ('for (int i = 0; i < 5; i++) fork(); printf("hello\\n");', 32),
    "forks in a condition": (
        'fork(); (fork() && fork()) || fork(); fork(); printf("hello\\n");',
        20,
    ),
}


@pytest.mark.parametrize("name", EQUAL)
def test_equal_processes_are_one_case(name: str, runnable: Runnable) -> None:
    body, lines = EQUAL[name]
    answer = found(runnable, body)
    assert answer.complete, answer.reasons
    assert answer.outputs == ("hello\n" * lines,)
    assert answer.states == lines + 1
    assert answer.replayed == 1


def test_of_different_ones_every_order_counts_once(runnable: Runnable) -> None:
    body = "for (int i = 0; i < 9; i++) if (fork() == 0) { putchar(97 + i % 3); exit(0); }"
    answer = found(runnable, body)
    assert answer.complete and isinstance(answer.graph, Forest)
    assert len(answer.outputs) == factorial(9) // factorial(3) ** 3
    assert why(answer, "abcabcabc").possible
    assert "It has a 4 times, but that is written 3 times." in why(answer, "abcabcabca").text


DEPENDENT = {
    "one waits": "wait(NULL);",
    "one asks for its parent": 'if (getppid() == 1) puts("orphan");',
    "one sleeps": "sleep(1);",
    "one sends a signal": "kill(getppid(), 0);",
    "one has a pipe": "int ends[2]; if (pipe(ends)) return 1;",
}


@pytest.mark.parametrize("name", DEPENDENT)
def test_who_has_to_do_with_others_is_no_forest(name: str) -> None:
    body = f"if (fork() == 0) {{ {DEPENDENT[name]} exit(0); }} {DEPENDENT[name]} return 0;"
    text = f"{HEAD}#include <signal.h>\nint main(void) {{ {body} }}"
    with (
        program_of("c", text) as program,
        Replays(program.argv, program=program.path) as replays,
    ):
        assert forest_of(replays.play([]), replays.grain) is None


def test_more_than_anybody_reads_is_too_many() -> None:
    body = "for (int i = 0; i < 9; i++) if (fork() == 0) { putchar(97 + i); exit(0); }"
    with (
        program_of("c", f"{HEAD}int main(void) {{ {body} }}") as program,
        Replays(program.argv, program=program.path) as replays,
    ):
        forest = forest_of(replays.play([]), replays.grain)
    assert forest is not None
    with pytest.raises(TooManyOutcomesError):
        forest.texts(1000)
