"""What others can tell of who ends comes in several steps: at last it closes what it has open, and then it is dead."""

from __future__ import annotations

import pytest
from free_runs import many_runner, many_runs
from programs import Runnable
from test_real_runs import LAST_HEADER, NOISE

from forklab.explore import Exploration, explore
from forklab.source import program_of

HEAD = """
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
static int ends[2], other[2];
static char letter;
static void say(const char *text) { if (write(1, text, 1) != 1) _exit(9); }
static void look(void) { say(waitpid(-1, NULL, WNOHANG) > 0 ? "1" : "0"); }
static void heard(int number) { (void)number; say("h"); }
static void hear_end(int file) { if (read(file, &letter, 1) > 0) say("?"); }
"""
PIPE = "if (pipe(ends)) return 8;"


def explored(runnable: Runnable, body: str) -> Exploration:
    return explore(**runnable("c", f"{HEAD}\nint main(void) {{ {body} }}"))


TOLD = {
    "a pipe, and a wait that does not wait": (
        f"{PIPE} if (fork() == 0) _exit(0); close(ends[1]); hear_end(ends[0]); look();",
        {"0", "1"},
    ),
    "a pipe, and SIGCHLD": (
        f"""signal(SIGCHLD, heard); {PIPE}
        if (fork() == 0) _exit(0);
        close(ends[1]); hear_end(ends[0]); say("e"); wait(NULL);""",
        {"he", "eh"},
    ),
    "a pipe, and whose child it is": (
        f"""{PIPE}
        if (fork() == 0) {{
            pid_t parent = getpid();
            if (fork() == 0) {{ close(ends[1]); hear_end(ends[0]); say(getppid() == parent ? "1" : "0"); }}
            _exit(0);
        }}
        close(ends[0]); close(ends[1]); wait(NULL);""",
        {"0", "1"},
    ),
    "a pipe, and a younger one that is reaped first": (
        f"""{PIPE}
        pid_t elder = fork();
        if (elder == 0) _exit(0);
        if (fork() == 0) {{ close(ends[1]); hear_end(ends[0]); _exit(0); }}
        close(ends[0]); close(ends[1]);
        say(wait(NULL) == elder ? "e" : "y"); wait(NULL);""",
        {"e", "y"},
    ),
    "a socketpair": (
        """if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends)) return 8;
        if (fork() == 0) _exit(0);
        close(ends[1]); hear_end(ends[0]); look();""",
        {"0", "1"},
    ),
    "a lock": (
        f"""{PIPE} int file = open("lock", O_CREAT | O_RDWR, 0600);
        if (fork() == 0) {{ flock(open("lock", O_RDWR), LOCK_EX); write(ends[1], "x", 1); _exit(0); }}
        read(ends[0], &letter, 1); flock(file, LOCK_EX); look();""",
        {"0", "1"},
    ),
    # From its exit on nothing reaches it any more.
    "a pipe, and SIGKILL to who has closed it": (
        f"""signal(SIGCHLD, heard); {PIPE}
        int status; pid_t child = fork();
        if (child == 0) _exit(3);
        close(ends[1]); hear_end(ends[0]); kill(child, SIGTERM); kill(child, SIGKILL);
        waitpid(child, &status, 0); say(WIFEXITED(status) ? "x" : "k");""",
        {"hx"},
    ),
    "a wait for it alone tells nothing": (
        f'{PIPE} if (fork() == 0) _exit(0); close(ends[1]); hear_end(ends[0]); wait(NULL); say("w");',
        {"w"},
    ),
    "a pipe, and SIGKILL": (
        f"""{PIPE}
        pid_t child = fork();
        if (child == 0) {{ pause(); _exit(0); }}
        close(ends[1]); kill(child, SIGKILL); hear_end(ends[0]); look();""",
        {"0", "1"},
    ),
    "a pipe, and SIGTERM from one that has ended": (
        f"""{PIPE}
        pid_t child = fork();
        if (child == 0) {{ pause(); _exit(0); }}
        if (fork() == 0) {{ close(ends[0]); close(ends[1]); kill(child, SIGTERM); _exit(0); }}
        close(ends[1]); hear_end(ends[0]); int status = 0;
        say(waitpid(child, &status, WNOHANG) == 0 ? "0" : WTERMSIG(status) == SIGTERM ? "t" : "?");""",
        {"0", "t"},
    ),
    "a pipe, and a signal to itself": (
        f"""{PIPE}
        if (fork() == 0) {{ raise(SIGUSR1); _exit(0); }}
        close(ends[1]); hear_end(ends[0]); look();""",
        {"0", "1"},
    ),
    "a pipe, and a fault": (
        f"""{PIPE} int status;
        pid_t child = fork();
        if (child == 0) {{ *(volatile int *)8 = 1; _exit(0); }}
        close(ends[1]); hear_end(ends[0]);
        if (waitpid(child, &status, WNOHANG) == 0) {{ say("0"); waitpid(child, &status, 0); }}
        say(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV ? "s" : "?");""",
        {"0s", "s"},
    ),
    "a pipe, and SIGPIPE at another one": (
        f"""{PIPE} if (pipe(other)) return 8;
        close(other[0]);
        if (fork() == 0) {{ write(other[1], "x", 1); _exit(0); }}
        close(ends[1]); hear_end(ends[0]); look();""",
        {"0", "1"},
    ),
    "a pipe, and SIGKILL to one that is stopped": (
        f"""{PIPE} int status;
        pid_t child = fork();
        if (child == 0) {{ raise(SIGSTOP); _exit(0); }}
        waitpid(child, &status, WUNTRACED);
        close(ends[1]); kill(child, SIGKILL); hear_end(ends[0]);
        say(waitpid(child, &status, WNOHANG | WUNTRACED) == 0 ? "0" : WIFSIGNALED(status) ? "k" : "?");""",
        {"0", "k"},
    ),
    # Of two signals the first one is what it dies by, also if the second is SIGKILL and comes later than that.
    "a pipe, and SIGKILL after another one": (
        f"""signal(SIGCHLD, heard); {PIPE} int status;
        pid_t child = fork();
        if (child == 0) {{ pause(); _exit(0); }}
        close(ends[1]); kill(child, SIGTERM); hear_end(ends[0]); kill(child, SIGKILL);
        while (waitpid(child, &status, 0) < 0) ;
        say(WTERMSIG(status) == SIGTERM ? "t" : "k");""",
        {"ht"},
    ),
    "a lock that it has inherited": (
        f"""{PIPE} if (pipe(other)) return 8;
        int file = open("lock", O_CREAT | O_RDWR, 0600), again = open("lock", O_RDWR);
        if (fork() == 0) {{
            flock(file, LOCK_EX);
            if (fork() == 0) _exit(0);
            close(file); write(ends[1], "x", 1); read(other[0], &letter, 1); look();
            _exit(0);
        }}
        close(file); read(ends[0], &letter, 1); flock(again, LOCK_EX); write(other[1], "x", 1); wait(NULL);""",
        {"0", "1"},
    ),
    "a lock of fcntl, and SIGKILL": (
        f"""{PIPE} int file = open("lock", O_CREAT | O_RDWR, 0600);
        struct flock whole = {{.l_type = F_WRLCK}};
        pid_t child = fork();
        if (child == 0) {{ fcntl(file, F_SETLK, &whole); write(ends[1], "x", 1); pause(); _exit(0); }}
        read(ends[0], &letter, 1); kill(child, SIGKILL); fcntl(file, F_SETLKW, &whole); look();""",
        {"0", "1"},
    ),
    "SEM_UNDO": (
        f"""{PIPE}
        struct sembuf take = {{0, -1, SEM_UNDO}};
        int one = semget(IPC_PRIVATE, 1, 0600); semctl(one, 0, SETVAL, 1);
        if (fork() == 0) {{ semop(one, &take, 1); write(ends[1], "x", 1); _exit(0); }}
        read(ends[0], &letter, 1); semop(one, &take, 1); look(); semctl(one, 0, IPC_RMID);""",
        {"0", "1"},
    ),
    "SEM_UNDO, and then a pipe": (
        f"""{PIPE} if (pipe(other)) return 8;
        struct sembuf take = {{0, -1, SEM_UNDO}};
        int one = semget(IPC_PRIVATE, 1, 0600); semctl(one, 0, SETVAL, 1);
        pid_t child = fork();
        if (child == 0) {{ semop(one, &take, 1); write(ends[1], "x", 1); pause(); _exit(0); }}
        read(ends[0], &letter, 1); close(other[1]); kill(child, SIGKILL); semop(one, &take, 1);
        fcntl(other[0], F_SETFL, O_NONBLOCK); say(read(other[0], &letter, 1) == 0 ? "e" : "-");
        look(); semctl(one, 0, IPC_RMID);""",
        {"e0", "e1", "-0", "-1"},
    ),
    "vfork": ("if (vfork() == 0) _exit(0); look();", {"0", "1"}),
    "vfork, and SIGCHLD": (
        """signal(SIGCHLD, heard); if (vfork() == 0) _exit(0); say("v"); wait(NULL);""",
        {"hv", "vh"},
    ),
    "vfork, and then a pipe": (
        f"""{PIPE} if (vfork() == 0) _exit(0);
        close(ends[1]); fcntl(ends[0], F_SETFL, O_NONBLOCK);
        say(read(ends[0], &letter, 1) == 0 ? "e" : "-"); look();""",
        {"e0", "e1", "-0", "-1"},
    ),
    "vfork, and a signal": (
        """int status = 0; pid_t child = vfork();
        if (child == 0) { kill(getpid(), SIGKILL); _exit(0); }
        if (waitpid(child, &status, WNOHANG) == 0) { say("0"); waitpid(child, &status, 0); }
        say(WTERMSIG(status) == SIGKILL ? "k" : "?");""",
        {"k", "0k"},
    ),
    "two pipes, and the first one after the second": (
        f"""{PIPE} if (pipe(other)) return 8;
        if (fork() == 0) _exit(0);
        close(ends[1]); close(other[1]); hear_end(other[0]);
        fcntl(ends[0], F_SETFL, O_NONBLOCK); say(read(ends[0], &letter, 1) == 0 ? "e" : "-"); wait(NULL);""",
        {"e", "-"},
    ),
    "two pipes, and the second one after the first": (
        f"""{PIPE} if (pipe(other)) return 8;
        if (fork() == 0) _exit(0);
        close(ends[1]); close(other[1]); hear_end(ends[0]);
        fcntl(other[0], F_SETFL, O_NONBLOCK); say(read(other[0], &letter, 1) == 0 ? "e" : "-"); wait(NULL);""",
        {"e"},
    ),
    "two pipes, and poll": (
        f"""{PIPE} if (pipe(other)) return 8;
        pid_t child = fork();
        if (child == 0) {{ pause(); _exit(0); }}
        close(ends[1]); close(other[1]); kill(child, SIGTERM);
        struct pollfd both[2] = {{{{ends[0], POLLIN, 0}}, {{other[0], POLLIN, 0}}}};
        say(poll(both, 2, -1) == 1 ? "1" : "2"); wait(NULL);""",
        {"1", "2"},
    ),
    "a pipe from it, and one to it": (
        f"""{PIPE} if (pipe(other)) return 8;
        signal(SIGPIPE, SIG_IGN);
        if (fork() == 0) {{ close(ends[1]); close(other[0]); _exit(0); }}
        close(ends[0]); close(other[1]); hear_end(other[0]);
        say(write(ends[1], "x", 1) == 1 ? "w" : "-"); wait(NULL);""",
        {"w", "-"},
    ),
    "a lock of fcntl, and then a pipe": (
        f"""{PIPE} if (pipe(other)) return 8;
        int file = open("lock", O_CREAT | O_RDWR, 0600);
        struct flock whole = {{.l_type = F_WRLCK}};
        if (fork() == 0) {{ fcntl(file, F_SETLK, &whole); write(ends[1], "x", 1); _exit(0); }}
        read(ends[0], &letter, 1); close(other[1]); fcntl(file, F_SETLKW, &whole);
        fcntl(other[0], F_SETFL, O_NONBLOCK); say(read(other[0], &letter, 1) == 0 ? "e" : "-"); wait(NULL);""",
        {"e", "-"},
    ),
    "a pipe, and whether there is one whom nobody waits for": (
        f"""signal(SIGCHLD, SIG_IGN); {PIPE}
        pid_t child = fork();
        if (child == 0) _exit(0);
        close(ends[1]); hear_end(ends[0]); say(kill(child, 0) == 0 ? "z" : "-");""",
        {"z", "-"},
    ),
    "a pipe, and a wait for one whom nobody has to wait for": (
        f"""signal(SIGCHLD, SIG_IGN); {PIPE}
        pid_t child = fork();
        if (child == 0) _exit(0);
        close(ends[1]); hear_end(ends[0]); say(waitpid(child, NULL, WNOHANG) == 0 ? "0" : "-");""",
        {"0", "-"},
    ),
    "a pipe, and a grandchild that is stopped": (
        f"""{PIPE}
        if (fork() == 0) {{
            pid_t child = fork();
            if (child == 0) {{ close(ends[1]); setpgid(0, 0); signal(SIGHUP, heard); raise(SIGSTOP); _exit(0); }}
            waitpid(child, NULL, WUNTRACED); _exit(0);
        }}
        close(ends[1]); hear_end(ends[0]); say("e"); wait(NULL);""",
        {"he", "eh"},
    ),
    "vfork, and another program, is waited for as ever": (
        """pid_t child = vfork();
        if (child == 0) { execl("/bin/true", "true", (char *)NULL); _exit(1); }
        int status; waitpid(child, &status, 0); say(status == 0 ? "0" : "?");""",
        {"0"},
    ),
}


SAMPLE = {
    "a pipe, and a wait that does not wait",
    "a lock",
    "a pipe, and SIGKILL",
    "a pipe, and a fault",
    "a pipe, and SIGKILL to one that is stopped",
    "a lock that it has inherited",
    "SEM_UNDO",
    "vfork, and then a pipe",
    "two pipes, and the first one after the second",
    "two pipes, and poll",
    "a pipe, and whether there is one whom nobody waits for",
    "a wait for it alone tells nothing",
}
RUNS = 2_000


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.slow] * (n not in SAMPLE)) for n in TOLD]
)
def test_others_may_act_in_between(name: str, runnable: Runnable, folder: object) -> None:
    body, outputs = TOLD[name]
    found = explored(runnable, body)
    assert set(found.outputs) == outputs
    assert found.complete, found.reasons


@pytest.mark.slow
@pytest.mark.usefixtures("pid_namespaces")
@pytest.mark.parametrize("name", TOLD)
def test_the_kernel_does_no_more_than_is_expected(name: str, folder: object) -> None:
    body, outputs = TOLD[name]
    with many_runner() as runner:
        for head in (HEAD, HEAD.replace(LAST_HEADER, NOISE)):
            with program_of("c", f"{head}\nint main(void) {{ {body} }}") as program:
                assert program.path is not None
                assert {output for output, _ in many_runs(runner, program.path, RUNS)} <= outputs


def test_who_cannot_be_told_from_its_end_ends_in_one_step(runnable: Runnable) -> None:
    body = f'{PIPE} if (fork() == 0) _exit(0); close(ends[1]); hear_end(ends[0]); wait(NULL); say("w");'
    assert not any(
        "closes all" in step.does for step in explored(runnable, body).outcomes[0].schedule
    )
