"""wait4(2) and waitid(2) with each of their options: under the lens they answer what they answer without one.

No child of these programs ends by itself, so a call that would wait where it must not would wait for ever.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest

from forklab.explore.explore import explore
from forklab.lens.record import record

Compile = Callable[[str], str]

HEAD = """
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
enum { BY_PIDFD = 3, UNTOUCHED = 0x55555555 };
static pid_t kids[8];
static int count;
static sigset_t gate;

static int live(void *status) {
    int number;
    sigwait(&gate, &number);
    _exit((int)(long)status);
}
static pid_t kid(int status) {
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) live((void *)(long)status);
    return kids[count++] = pid;
}
static pid_t clone_kid(int signal, int status) {
    static char stacks[8][1 << 16];
    fflush(stdout);
    kids[count] = clone(live, stacks[count] + sizeof stacks[0], signal, (void *)(long)status);
    return kids[count++];
}
static void end(pid_t kid) { kill(kid, SIGUSR1); }
static const char *who(pid_t pid) {
    static char name[16];
    for (int i = 0; i < count; i++)
        if (kids[i] == pid) return sprintf(name, "kid %d", i), name;
    return pid > 0 ? "somebody" : pid == 0 ? "nobody" : "error";
}
static void by4(pid_t pid, int options) {
    int status = -1;
    struct rusage use;
    memset(&use, 0x55, sizeof use);
    errno = 0;
    pid_t result = wait4(pid, &status, options, &use);
    printf("%s, %s, %x, %d\\n", who(result), strerror(errno), status, (int)use.ru_nivcsw == UNTOUCHED);
}
static void by_id(int type, id_t id, int options) {
    siginfo_t told;
    struct rusage use;
    memset(&told, 0x55, sizeof told);
    memset(&use, 0x55, sizeof use);
    errno = 0;
    int result = syscall(SYS_waitid, type, id, &told, options, &use);
    printf("%d, %s, %d\\n", result, strerror(errno), (int)use.ru_nivcsw == UNTOUCHED);
    if (told.si_signo == UNTOUCHED) return;
    printf("  %d %d %d ", told.si_signo, told.si_errno, told.si_code);
    if (told.si_signo) printf("%s %d %d", who(told.si_pid), (int)told.si_uid, told.si_status);
    puts("");
}
static void *in_thread(void *unused) {
    end(kid(9));
    by4(kids[0], __WNOTHREAD);
    by4(kids[0], __WNOTHREAD | __WALL);
    by4(-1, __WNOTHREAD);
    return unused;
}
int main(void) {
    (void)by_id; (void)by4; (void)end; (void)clone_kid; (void)in_thread;
    setvbuf(stdout, NULL, _IOLBF, 0);
    sigemptyset(&gate);
    sigaddset(&gate, SIGUSR1);
    sigprocmask(SIG_BLOCK, &gate, NULL);
"""

PROGRAMS = {
    "errors that are found before any child is looked at": """
        kid(3);
        for (int option = 0; option < 31; option++) by4(-1, WNOHANG | 1 << option);
        by4(-1, 0x10);
        by4(-1, WEXITED);
        by4(-1, WNOWAIT);
        by4(INT_MIN, 0);
        for (int option = 0; option < 31; option++) by_id(P_ALL, 0, WNOHANG | WEXITED | 1 << option);
        by_id(P_ALL, 0, 0);
        by_id(P_ALL, 0, WNOHANG);
        by_id(P_ALL, 0, WEXITED | 0x10);
        by_id(9, 0, WEXITED);
        by_id(-1, 0, WEXITED);
        by_id(P_PID, 0, WEXITED);
        by_id(P_PID, -1, WEXITED);
        by_id(P_PGID, -1, WEXITED);
        by_id(BY_PIDFD, -1, WEXITED);
        by_id(BY_PIDFD, 99, WEXITED);
        by_id(BY_PIDFD, 0, WEXITED);
        end(kids[0]);
        by4(-1, 0);
    """,
    "who is not a child": """
        kid(3);
        by4(getppid(), 0);
        by4(getpid(), 0);
        by4(99999, 0);
        by4(-99999, 0);
        by4(INT_MIN + 1, 0);
        by_id(P_PGID, 99999, WEXITED);
        end(kids[0]);
        by4(-1, 0);
        by4(-1, 0);
    """,
    "an end that is looked at, and then reaped": """
        kid(3);
        by4(-1, WNOHANG);
        by_id(P_ALL, 0, WEXITED | WNOHANG);
        end(kids[0]);
        by_id(P_ALL, 0, WEXITED | WNOWAIT);
        by_id(P_PID, kids[0], WEXITED | WNOWAIT | WNOHANG);
        by_id(P_ALL, 0, WSTOPPED);
        by_id(P_ALL, 0, WSTOPPED | WNOHANG);
        by_id(P_ALL, 0, WCONTINUED);
        by_id(P_PID, kids[0], WEXITED | WSTOPPED | WCONTINUED);
        by_id(P_ALL, 0, WEXITED);
    """,
    "stops and continuations": """
        kid(5);
        kill(kids[0], SIGSTOP);
        by_id(P_PID, kids[0], WSTOPPED | WNOWAIT);
        by_id(P_PID, kids[0], WSTOPPED | WCONTINUED | WEXITED);
        by_id(P_PID, kids[0], WSTOPPED | WNOHANG);
        kill(kids[0], SIGCONT);
        by_id(P_PID, kids[0], WCONTINUED | WNOWAIT);
        by_id(P_PID, kids[0], WSTOPPED | WCONTINUED | WEXITED);
        by_id(P_PID, kids[0], WCONTINUED | WNOHANG);
        kill(kids[0], SIGSTOP);
        by4(-1, WUNTRACED | WCONTINUED);
        by4(-1, WUNTRACED | WCONTINUED | WNOHANG);
        kill(kids[0], SIGCONT);
        by4(kids[0], WCONTINUED);
        kill(kids[0], SIGTERM);
        by4(kids[0], WUNTRACED | WCONTINUED);
    """,
    "process groups": """
        kid(1);
        kid(2);
        setpgid(kids[1], kids[1]);
        by4(0, WNOHANG);
        end(kids[0]);
        by4(0, 0);
        by4(0, 0);
        by_id(P_PGID, 0, WEXITED);
        end(kids[1]);
        by_id(P_PGID, kids[1], WEXITED | WNOWAIT);
        by4(-kids[1], 0);
    """,
    "pidfds, also such as do not wait": """
        kid(4);
        kid(5);
        int waits = syscall(SYS_pidfd_open, kids[0], 0);
        int does_not = syscall(SYS_pidfd_open, kids[1], O_NONBLOCK);
        by_id(BY_PIDFD, waits, WEXITED | WNOHANG);
        by_id(BY_PIDFD, does_not, WEXITED);
        by_id(BY_PIDFD, does_not, WEXITED | WNOHANG);
        end(kids[0]);
        end(kids[1]);
        by_id(P_PID, kids[1], WEXITED | WNOWAIT);
        by_id(BY_PIDFD, waits, WEXITED);
        by_id(BY_PIDFD, does_not, WEXITED);
        by_id(BY_PIDFD, waits, WEXITED);
    """,
    "clones: children that end without SIGCHLD": """
        clone_kid(0, 7);
        by4(-1, 0);
        by4(-1, __WCLONE | WNOHANG);
        by_id(P_ALL, 0, WEXITED);
        end(kids[0]);
        by4(-1, __WCLONE);
        kid(8);
        by4(-1, __WCLONE);
        signal(SIGUSR2, SIG_IGN);
        clone_kid(SIGUSR2, 9);
        by4(kids[2], 0);
        end(kids[1]);
        by4(-1, 0);
        by4(-1, 0);
        end(kids[2]);
        by_id(P_ALL, 0, WEXITED | __WALL);
    """,
    "children of one thread": """
        pthread_t thread;
        kid(3);
        pthread_create(&thread, NULL, in_thread, NULL);
        pthread_join(thread, NULL);
        by4(-1, __WNOTHREAD | WNOHANG);
        end(kids[0]);
        by4(-1, __WNOTHREAD);
    """,
    "pointers to nowhere, after which the child is gone": """
        end(kid(3));
        printf("%d\\n", (int)wait4(-1, (void *)-1, 0, NULL));
        by4(-1, 0);
        end(kid(3));
        printf("%d\\n", (int)syscall(SYS_waitid, P_ALL, 0, (void *)-1, WEXITED, NULL));
        by4(-1, 0);
        end(kid(3));
        printf("%d\\n", (int)wait4(-1, NULL, 0, (void *)-1));
        by4(-1, 0);
    """,
    "no pointers at all": """
        end(kid(3));
        printf("%d\\n", (int)syscall(SYS_waitid, P_ALL, 0, NULL, WEXITED | WNOWAIT, NULL));
        printf("%d\\n", (int)syscall(SYS_waitid, P_ALL, 0, NULL, WEXITED, NULL));
        by4(-1, 0);
        kid(4);
        end(kid(5));
        printf("%d\\n", (int)syscall(SYS_waitid, P_PID, kids[2], NULL, WEXITED, NULL));
        by4(kids[2], 0);
        end(kids[1]);
        printf("%d\\n", wait4(-1, NULL, 0, NULL) == kids[1]);
    """,
}
NOT_MODELLED = frozenset(
    name for name in PROGRAMS if name.startswith(("clones", "pidfds", "children"))
)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_wait_answers_what_it_answers_untraced(compiled: Compile, name: str) -> None:
    program = compiled(HEAD + PROGRAMS[name] + "return 0; }")
    command = ["setsid", "--wait", program]  # as the lens starts it
    untraced = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=60
    ).stdout
    for seed in range(3):
        seen = record([program], seed=seed)
        assert (seen.ended_early, seen.output) == (None, untraced)
    assert record([program], real_time=True).output == untraced


@pytest.mark.parametrize("name", sorted(set(PROGRAMS) - NOT_MODELLED))
def test_and_the_explorer_knows_what_it_does(compiled: Compile, name: str) -> None:
    """Each of these programs prints the same in every schedule. How much its children have used none prints."""
    program = compiled(HEAD + PROGRAMS[name] + "return 0; }")
    found = explore([program])
    assert [reason for reason in found.reasons if "its children have used" not in reason] == []
    assert set(found.outputs) == {record([program]).output}


def test_which_signal_has_stopped_a_child_is_part_of_what_its_parent_has_seen(
    compiled: Compile,
) -> None:
    program = compiled(
        HEAD
        + """
        kid(0);
        setpgid(kids[0], kids[0]);
        int status;
        for (int i = 0; i < 2; i++)
            if (fork() == 0) { kill(kids[0], i ? SIGSTOP : SIGTSTP); _exit(0); }
        waitpid(kids[0], &status, WUNTRACED);
        kill(kids[0], SIGKILL);
        while (wait(NULL) > 0) continue;
        puts(WSTOPSIG(status) == SIGSTOP ? "SIGSTOP" : "SIGTSTP");
        return 0; }
        """
    )
    found = explore([program])
    assert found.complete
    assert {outcome.output for outcome in found.outcomes} == {"SIGSTOP\n", "SIGTSTP\n"}
