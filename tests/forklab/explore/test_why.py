"""Why an output is possible or not, and the process graph that says so."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from programs import OWN, TABLE, Runnable

from forklab.draw.outcomes.graph_picture import process_graph_svg
from forklab.explore import Exploration, explore
from forklab.explore.order import ProcessGraph, process_graph
from forklab.explore.why import why
from forklab.steps.deeds import DeedKind as Kind

CASES = {case.name: case for case in (*TABLE, *OWN)}


@pytest.fixture(scope="module")
def explored(runnable: Runnable) -> Callable[[str], Exploration]:
    found: dict[str, Exploration] = {}

    def look(name: str) -> Exploration:
        if name not in found:
            case = CASES[name]
            found[name] = explore(**runnable(case.language, case.text))
        return found[name]

    return look


Explored = Callable[[str], Exploration]


def test_a_possible_output_has_a_schedule(explored: Explored) -> None:
    answer = why(explored("two_lines_each"), "c a d b")
    assert answer.possible and answer.outcome is not None
    assert answer.outcome.output == "c\na\nd\nb\n"
    assert "P forks P.1" in answer.text


def test_an_impossible_one_has_the_chain_of_edges_that_forbids_it(explored: Explored) -> None:
    answer = why(explored("the_parent_waits_first"), "a c b d")
    assert not answer.possible
    assert answer.text.splitlines()[1:] == [
        "It needs c before b, but in every schedule",
        r"     P.1 writes 'b\n'",
        "  -> P.1 exits 0",
        "  -> P reaps P.1",
        r"  -> P writes 'c\n'",
    ]


def test_what_nobody_writes_is_named(explored: Explored) -> None:
    assert "Nobody ever writes x." in why(explored("two_lines_each"), "a b x c d").text


def test_what_is_written_too_often_or_too_rarely_is_counted(explored: Explored) -> None:
    found = explored("two_lines_each")
    assert "It has a twice, but that is written once." in why(found, "a a b c d").text
    assert "In every schedule d is written once." in why(found, "a b c").text


def test_where_no_edge_forbids_it_the_answer_is_how_far_one_can_get(explored: Explored) -> None:
    answer = why(explored("a_signal_before_its_handler"), "h killed")
    assert not answer.possible
    assert "After h only exited can come." in answer.text


def edges(graph: ProcessGraph) -> set[tuple[str, str]]:
    def named(number: int) -> str:
        vertex = graph.vertices[number]
        return f"{vertex.process} {vertex.deed.text.strip() or vertex.kind}"

    return {(named(tail), named(head)) for tail, head in graph.edges}


def test_the_graph_has_the_edges_of_the_textbook(explored: Explored) -> None:
    graph = process_graph(explored("the_parent_waits_first").graph)
    assert edges(graph) == {
        ("P fork", "P.1 a"),
        ("P.1 a", "P.1 b"),
        ("P.1 b", "P.1 exit"),
        ("P.1 exit", "P reap"),
        ("P reap", "P c"),
        ("P c", "P d"),
        ("P d", "P exit"),
    }


def test_without_a_wait_there_is_no_way_from_the_child_to_the_parent(explored: Explored) -> None:
    graph = process_graph(explored("two_lines_each").graph)
    child = [n for n, v in enumerate(graph.vertices) if v.process == "P.1"]
    parent = [n for n, v in enumerate(graph.vertices) if v.process == "P" and v.kind != Kind.FORK]
    assert all(graph.chain(tail, head) is None for tail in child for head in parent)
    assert all(graph.chain(tail, head) is None for tail in parent for head in child)


def test_a_sleep_that_is_longer_makes_an_edge(explored: Explored) -> None:
    assert ("P early", "P.1 late") in edges(process_graph(explored("one_sleeps_longer").graph))


def test_every_order_of_the_graph_is_an_output_and_every_output_is_such_an_order(
    explored: Explored,
) -> None:
    """Where everything happens in every schedule, the graph says as much as the outcomes do."""
    found = explored("waits_for_the_second")
    graph = process_graph(found.graph)
    writes = [n for n, v in enumerate(graph.vertices) if v.kind is Kind.WRITE]

    def orders(left: list[int], done: int) -> set[str]:
        if not left:
            return {""}
        able = [n for n in left if not any(graph.before[n] >> m & 1 for m in left if m != n)]
        return {
            graph.vertices[n].deed.text + rest
            for n in able
            for rest in orders([m for m in left if m != n], done | 1 << n)
        }

    assert orders(writes, 0) == set(found.outputs)


def test_what_does_not_always_happen_is_drawn_hollow(explored: Explored) -> None:
    graph = process_graph(explored("check_then_pause").graph)
    maybe = {vertex.deed.text for vertex in graph.vertices if not vertex.always}
    assert "done\n" in maybe
    picture = process_graph_svg(graph, "lost")
    assert picture.count('class="dot maybe"') == sum(not v.always for v in graph.vertices)
    assert picture == process_graph_svg(graph, "lost")


def test_a_signal_counts_wherever_it_is_taken(explored: Explored) -> None:
    """Before the call or right after the one before it: in every schedule P gets its SIGUSR1."""
    graph = process_graph(explored("check_then_pause").graph)
    taken = [vertex for vertex in graph.vertices if vertex.kind is Kind.SIGNAL]
    assert [(vertex.process, vertex.always) for vertex in taken] == [("P", True)]
    reaps_once = process_graph(explored("the_handler_reaps_once").graph)
    assert all(vertex.kind is not Kind.GO_ON for vertex in reaps_once.vertices)


WITHOUT_SPACES = """\
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
static void put(const char *text) { if (write(1, text, 1) < 0) _exit(9); }
int main(void) {
    if (fork() == 0) { put("a"); put("b"); _exit(0); }
    put("c");
    wait(NULL);
    put("d");
}
"""


@pytest.mark.parametrize("written", ["acbd", "a c b d", "ac bd"])
def test_as_books_print_it_without_spaces(written: str, runnable: Runnable) -> None:
    answer = why(explore(**runnable("c", WITHOUT_SPACES)), written)
    assert answer.possible and answer.outcome is not None
    assert answer.outcome.output == "acbd"


def test_what_is_not_possible_is_taken_apart_into_what_is_written(runnable: Runnable) -> None:
    answer = why(explore(**runnable("c", WITHOUT_SPACES)), "adbc")
    assert not answer.possible
    assert answer.text.splitlines()[:2] == [
        "No schedule of this program prints a d b c.",
        "It needs d before c, but in every schedule",
    ]


def test_an_output_without_spaces_is_read_as_what_is_written(explored: Explored) -> None:
    found = explored("the_parent_waits_first")
    assert "It needs c before b, but" in why(found, "acbd").text
    assert why(found, "abcd").possible


def test_where_it_can_be_read_in_several_ways_no_reason_counts_that_is_one_of_them_only(
    runnable: Runnable,
) -> None:
    """111 may be 1 and 11, or 11 and 1, or three times 1: that 1 is written once is no reason."""
    text = """
        #include <stdio.h>
        #include <sys/wait.h>
        #include <unistd.h>
        int main(void) { puts("11"); if (fork() == 0) { puts("1"); return 0; } wait(NULL); puts("2"); }
        """
    found = explore(**runnable("c", text))
    assert why(found, "1112").possible
    answer = why(found, "2111")
    assert not answer.possible and answer.text.endswith("At the start only 11 can come.")
