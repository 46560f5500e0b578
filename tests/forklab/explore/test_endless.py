"""Programs that do not end: what they are is said, soon, and without a traceback."""

from __future__ import annotations

import sys

import pytest
from programs import Runnable

from forklab.explore import explore
from forklab.explore.replays import Replays

ENDLESS = {
    "P computes for long without a call": "for (volatile long n = 0;; n++) {}",
    "It had more than 100 processes, as a fork bomb has. Does it fork in an endless loop?": "for (;;) fork();",
    "It makes a PID namespace of its own, which is not modelled": "return unshare(CLONE_NEWPID);",
}


@pytest.mark.parametrize("reason", ENDLESS)
def test_what_it_is_is_said(reason: str, runnable: Runnable) -> None:
    text = f"""
        #define _GNU_SOURCE
        #include <sched.h>
        #include <unistd.h>
        int main(void) {{ {ENDLESS[reason]} }}
    """
    found = explore(**runnable("c", text))
    assert not found.complete
    assert reason in found.reasons
    assert found.states <= 100  # and not all that the limits would allow
    assert found.to_json()["outcomes"] == []


HEAD = """
    #include <stdio.h>
    #include <sys/wait.h>
    #include <unistd.h>
"""


def test_a_search_that_ends_before_it_comes_to_the_end_of_a_run_claims_nothing(
    runnable: Runnable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["forklab.explore.explore"], "_MOST_STEPS", 1000)
    monkeypatch.setattr(sys.modules["forklab.explore.graph"], "_A_WHILE", 0.001)
    text = f"{HEAD} int main(void) {{ if (fork() == 0) return 0; for (;;) getppid(); }}"
    found = explore(**runnable("c", text))
    assert not found.complete
    assert found.reasons == ("one run had to be ended: It took more than 1,000 steps",)


def test_who_looks_again_and_again_lets_others_do_what_it_looks_for(runnable: Runnable) -> None:
    text = f"""{HEAD}
        int main(void) {{
            if (fork() == 0) {{ puts("child"); return 0; }}
            while (waitpid(-1, NULL, WNOHANG) == 0) {{}}
            puts("parent");
        }}
    """
    with Replays(**runnable("c", text)) as replays:
        played = replays.play([])
    assert played.status == 0
    assert "".join(taken.output for taken in played.taken) == "child\nparent\n"
