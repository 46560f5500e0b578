"""Who is left to whom, and who is seen to be whose child: every order is found, and nothing is made up."""

from __future__ import annotations

from pathlib import Path

import pytest
from sampled import every_third
from test_channels import check
from test_shared_resources import Case

pytestmark = pytest.mark.usefixtures("pid_namespaces", "folder")

MORE = """
/* Opens the list of the children of a process. */
static int list_of(pid_t parent) {
    char path[64];
    sprintf(path, "/proc/%d/task/%d/children", parent, parent);
    return open(path, O_RDONLY);
}
"""
CASES = {
    "an orphan is left to the subreaper above it, and to nobody else": Case(
        """
        if (fork() == 0) {
            prctl(PR_SET_CHILD_SUBREAPER, 1);
            if (fork() == 0) {
                if (fork() == 0) { say("c"); _exit(0); }
                _exit(0);
            }
            int children = 0;
            while (wait(NULL) > 0) children++;
            say_count((uint64_t)children);
            _exit(0);
        }
        int children = 0;
        while (wait(NULL) > 0) children++;
        say_count((uint64_t)children);
        return 0;
        """,
        {"c21"},
    ),
    "who is listed as a child is one right then": Case(
        """
        pid_t child = fork();
        if (child == 0) {
            if (fork() == 0) _exit(0);
            wait(NULL);
            pause();
        }
        say(read(list_of(child), text, 8) > 0 ? "1" : "0");
        kill(child, SIGKILL);
        wait(NULL);
        return 0;
        """,
        {"0", "1"},
    ),
    "a zombie is still listed": Case(
        """
        if (fork() == 0) { say("z"); _exit(0); }
        siginfo_t about;
        waitid(P_ALL, 0, &about, WEXITED | WNOWAIT);
        say(read(list_of(getpid()), text, 8) > 0 ? "1" : "0");
        wait(NULL);
        say(read(list_of(getpid()), text, 8) > 0 ? "1" : "0");
        return 0;
        """,
        {"z10"},
    ),
    "nothing is listed of who is gone": Case(
        """
        pid_t first = fork();
        if (first == 0) _exit(0);
        if (fork() == 0) { say(list_of(first) < 0 ? "-" : "+"); _exit(0); }
        while (wait(NULL) > 0) {}
        return 0;
        """,
        {"+", "-"},
    ),
}


@pytest.mark.parametrize("name", every_third(CASES))
def test_of_families(name: str, folder: Path) -> None:
    check(CASES[name], folder, MORE)
