"""Draws the pictures of the README: what the lab's starter does to an orphan, what it should; programs in time;
what has to come before what."""

from __future__ import annotations

from pathlib import Path

from autograder.labs.lab import load_lab
from autograder.trial.assess import assess
from forklab.draw.lanes.picture import lanes_svg
from forklab.draw.outcomes.graph_picture import process_graph_svg
from forklab.draw.trees.picture import tree_svg
from forklab.explore import explore
from forklab.explore.order import process_graph
from forklab.lens.record import record
from forklab.source import program_of

# A zombie, an orphan, a wait and a signal in one program.
PROGRAM = """
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    if (fork() == 0) {
        if (fork() == 0) { /* will be an orphan */
            sleep(100);
            exit(0);
        }
        sleep(1);
        exit(3);
    }
    pid_t worker = fork();
    if (worker == 0)
        pause();
    sleep(10); /* for nine seconds of it, the first child is a zombie */
    wait(NULL);
    kill(worker, SIGTERM);
    wait(NULL);
    return 0;
}
"""
# The second wait of the parent is for the first child.
WHICH_OUTPUTS = """
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    if (fork() == 0) {
        puts("a");
        exit(0);
    }
    pid_t second = fork();
    if (second == 0) {
        puts("b");
        exit(0);
    }
    waitpid(second, NULL, 0);
    puts("c");
    wait(NULL);
    puts("d");
    return 0;
}
"""
FOLDER = Path(__file__).resolve().parent


def pictures() -> dict[Path, str]:
    """The files and what should be in them."""
    lab = load_lab(FOLDER.parent / "labs" / "init")
    orphan = [scenario for scenario in lab.scenarios if scenario.name == "02_orphan"]
    [verdict] = assess(lab, lab.folder / "starter" / "c", scenarios=orphan).verdicts
    with program_of("c", PROGRAM) as program:
        seen = record(program.argv, program=program.path)
    zombie = FOLDER.parent / "c_examples" / "05_zombie.c"
    with program_of("c", zombie.read_text()) as program:
        film = record(program.argv, program=program.path).history
    with program_of("c", WHICH_OUTPUTS) as program:
        found = explore(program.argv, program=program.path)
    return {
        FOLDER / "process_graph.svg": process_graph_svg(process_graph(found.graph)),
        FOLDER / "zombie.svg": tree_svg(film.tree(film.moment(50))),
        FOLDER / "lanes.svg": lanes_svg(seen.history),
        FOLDER / "expected.svg": tree_svg(
            verdict.expected.tree(), verdict.expected_remarks, "expected"
        ),
        FOLDER / "observed.svg": tree_svg(verdict.observed.tree(), verdict.remarks, "observed"),
    }


if __name__ == "__main__":
    for file, picture in pictures().items():
        file.write_text(picture)
