"""A death that leaves a core file does so under the lens too, if the limit allows it: core(5), setrlimit(2)."""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from forklab.explore.explore import explore
from forklab.lens.record import record

Compile = Callable[[str], str]

PLAIN = Path("/proc/sys/kernel/core_pattern").read_text().strip() == "core"
ALLOWED = resource.getrlimit(resource.RLIMIT_CORE)[1] == resource.RLIM_INFINITY
pytestmark = pytest.mark.skipif(not (PLAIN and ALLOWED), reason="no core files in the folder here")

PROGRAM = """
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
static void die(int number, rlim_t most) {
    int status;
    siginfo_t told;
    fflush(stdout);
    if (fork() == 0) {
        struct rlimit limit;
        getrlimit(RLIMIT_CORE, &limit);
        limit.rlim_cur = most;
        if (setrlimit(RLIMIT_CORE, &limit)) perror("setrlimit");
        raise(number);
    }
    waitid(P_ALL, 0, &told, WEXITED | WNOWAIT);
    wait(&status);
    printf("%d: %x %d, of %d\\n", number, status, told.si_code == CLD_DUMPED, (int)most);
}
int main(int count, char **words) {
    rlim_t most = count > 1 ? RLIM_INFINITY : 0;
    struct rlimit limit;
    (void)words;
    getrlimit(RLIMIT_CORE, &limit);
    printf("%ld %ld\\n", (long)limit.rlim_cur, (long)limit.rlim_max);
    die(SIGSEGV, most);
    die(SIGQUIT, most);
    die(SIGTERM, most);
    return 0;
}
"""


@pytest.mark.parametrize("words", [[], ["unlimited"]])
def test_it_is_told_and_left_where_it_is_untraced(
    compiled: Compile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    command = [compiled(PROGRAM), *words]
    untraced = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    left = [path.name for path in tmp_path.iterdir()]
    assert bool(left) == bool(words)
    for path in tmp_path.iterdir():
        path.unlink()
    assert record(command).output == untraced
    assert [path.name for path in tmp_path.iterdir()] == left


def test_the_explorer_leaves_none_behind_and_overwrites_none(
    compiled: Compile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    command = [compiled(PROGRAM.replace("die(SIGQUIT, most);", "")), "unlimited"]
    found = explore(command)
    assert found.complete
    assert not list(tmp_path.iterdir())
    assert [outcome.output for outcome in found.outcomes] == [record(command).output]
    Path("core").write_text("mine")
    explore(command)
    assert [path.name for path in tmp_path.iterdir()] == ["core"]
    assert Path("core").read_text() == "mine"


def test_one_that_looks_for_it_is_not_known_completely(
    compiled: Compile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    looks = PROGRAM.replace("return 0;\n}", 'return access("core", F_OK);\n}')
    found = explore([compiled(looks), "unlimited"])
    assert not found.complete
    assert found.reasons
