"""What processes share beside pipes and signals: every order of what they do to it is found, and nothing is made up."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import pytest
from programs import Runnable
from sampled import every_other

from forklab.explore import explore

pytestmark = pytest.mark.usefixtures("folder")

HEAD = """\
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static struct { long type; char text; } letter = {1, 0};
static char text[9];
static void say(const char *word) { if (write(1, word, strlen(word)) < 0) _exit(9); }
static long add(int set, int number, int flags) {
    struct sembuf operation = {0, (short)number, (short)flags};
    return semop(set, &operation, 1);
}
"""


class Case(NamedTuple):
    """The body of main(), and all that it can print. Who is a child is killed by nobody and ends with 0."""

    body: str
    outputs: set[str]


CASES = {
    "to read from the wrong end is an error, and nobody waits": Case(
        """
        int ends[2];
        if (pipe(ends)) return 1;
        if (fork() == 0) { if (read(ends[1], text, 1) < 0 && errno == EBADF) say("b"); _exit(0); }
        say("a");
        return write(ends[1], "!", 1) != 1;
        """,
        {"ab", "ba"},
    ),
    "to read or write nothing is no reason to wait": Case(
        """
        int ends[2];
        if (pipe(ends)) return 1;
        if (fork() == 0) { say(read(ends[0], text, 0) == 0 ? "r" : "?"); _exit(0); }
        say(write(ends[1], text, 0) == 0 ? "w" : "?");
        wait(NULL);
        return 0;
        """,
        {"rw", "wr"},
    ),
    "a pipe that does not let wait": Case(
        """
        int ends[2];
        if (pipe2(ends, O_NONBLOCK)) return 1;
        if (fork() == 0) { say(read(ends[0], text, 1) < 0 ? "empty" : text); _exit(0); }
        if (write(ends[1], "full", 1) != 1) return 1;
        wait(NULL);
        return 0;
        """,
        {"empty", "f"},
    ),
    "a pipe that does not let wait any more": Case(
        """
        if (fork() == 0) {
            int ends[2], yes = 1;
            if (pipe(ends)) return 1;
            syscall(SYS_ioctl, ends[0], 0x5421, &yes); // FIONBIO
            say(read(ends[0], text, 1) < 0 ? "empty" : text);
            _exit(0);
        }
        wait(NULL);
        return 0;
        """,
        {"empty"},
    ),
    "what was written before the fork is in the pipe": Case(
        """
        int ends[2];
        if (pipe(ends) || write(ends[1], "x", 1) != 1) return 1;
        if (fork() == 0) { if (read(ends[0], text, 1) == 1) say(text); _exit(0); }
        wait(NULL);
        say("!");
        return 0;
        """,
        {"x!"},
    ),
    "flags of an open file are those of all who have it": Case(
        """
        int ends[2];
        if (pipe(ends)) return 1;
        if (fork() == 0) { fcntl(ends[0], F_SETFL, O_NONBLOCK); _exit(0); }
        say(fcntl(ends[0], F_GETFL) & O_NONBLOCK ? "yes" : "no");
        wait(NULL);
        return 0;
        """,
        {"yes", "no"},
    ),
    "who has an open file from its parent moves its offset": Case(
        """
        int file = open("/etc/passwd", O_RDONLY);
        if (fork() == 0) { if (read(file, text, 3) < 0) say("?"); _exit(0); }
        if (read(file, text, 3) == 3) say(text);
        wait(NULL);
        return 0;
        """,
        {"roo", Path("/etc/passwd").read_text()[3:6]},
    ),
    "a folder that is removed while somebody has it open": Case(
        """
        if (mkdir("d", 0700)) return 1;
        int folder = open("d", O_DIRECTORY);
        if (fork() == 0) { say(openat(folder, "f", O_CREAT | O_WRONLY, 0600) < 0 ? "gone " : "made "); _exit(0); }
        say(rmdir("d") ? "full " : "removed ");
        wait(NULL);
        return 0;
        """,
        {"gone removed ", "removed gone ", "made full ", "full made "},
    ),
    "a folder above the own one that gets another name": Case(
        """
        if (mkdir("a", 0700) || mkdir("a/d", 0700)) return 1;
        int folder = open("a/d", O_DIRECTORY);
        if (fork() == 0) {
            if (rename("a", "b")) _exit(1);
            _exit(open("b/d/f", O_CREAT | O_WRONLY, 0600) < 0);
        }
        say(faccessat(folder, "f", F_OK, 0) ? "no" : "yes");
        wait(NULL);
        return 0;
        """,
        {"no", "yes"},
    ),
    "who opens it anew has an offset of its own": Case(
        """
        if (fork() == 0) { int file = open("/etc/passwd", O_RDONLY); _exit(read(file, text, 3) != 3); }
        int file = open("/etc/passwd", O_RDONLY);
        if (read(file, text, 3) == 3) say(text);
        wait(NULL);
        return 0;
        """,
        {"roo"},
    ),
    "what is in a file": Case(
        """
        int file = open("data", O_RDWR | O_CREAT | O_TRUNC, 0600);
        if (fork() == 0) {
            int mine = open("data", O_WRONLY | O_APPEND);
            if (write(mine, "a", 1) != 1 || write(mine, "b", 1) != 1) say("?");
            _exit(0);
        }
        if (read(file, text, 8) >= 0) say(text[0] ? text : "-");
        wait(NULL);
        return 0;
        """,
        {"-", "a", "ab"},
    ),
    "one of two gets the lock file": Case(
        """
        for (int i = 0; i < 2; i++)
            if (fork() == 0) {
                if (open("lock", O_CREAT | O_EXCL, 0600) >= 0) say(i ? "b" : "a");
                _exit(0);
            }
        while (wait(NULL) > 0) {}
        return 0;
        """,
        {"a", "b"},
    ),
    "a folder as a lock, given back": Case(
        """
        for (int i = 0; i < 2; i++)
            if (fork() == 0) {
                if (mkdir("lock", 0700) == 0) { say(i ? "b" : "a"); rmdir("lock"); }
                else say("-");
                _exit(0);
            }
        while (wait(NULL) > 0) {}
        return 0;
        """,
        {"ab", "ba", "a-", "-a", "b-", "-b"},
    ),
    "a new name, and the old one": Case(
        """
        close(open("old", O_CREAT, 0600));
        if (fork() == 0) { rename("old", "new"); _exit(0); }
        say(access("old", F_OK) == 0 ? "o" : "-");
        say(access("new", F_OK) == 0 ? "n" : "-");
        wait(NULL);
        return 0;
        """,
        {"o-", "on", "-n"},
    ),
    "a semaphore for which somebody waits": Case(
        """
        int set = semget(IPC_PRIVATE, 1, 0600);
        for (int i = 0; i < 2; i++)
            if (fork() == 0) { if (add(set, -1, 0) == 0) say(i ? "b" : "a"); _exit(0); }
        say("p");
        add(set, 2, 0);
        while (wait(NULL) > 0) {}
        semctl(set, 0, IPC_RMID);
        return 0;
        """,
        {"pab", "pba"},
    ),
    "a semaphore for which nobody waits": Case(
        """
        int set = semget(IPC_PRIVATE, 1, 0600);
        if (fork() == 0) { add(set, 1, 0); _exit(0); }
        say(add(set, -1, IPC_NOWAIT) ? "no" : "yes");
        wait(NULL);
        return 0;
        """,
        {"yes", "no"},
    ),
    "the end of a process undoes what it has done to a semaphore": Case(
        """
        int set = semget(IPC_PRIVATE, 1, 0600);
        if (fork() == 0) { add(set, 1, SEM_UNDO); _exit(0); }
        say(semctl(set, 0, GETVAL) ? "1" : "0");
        wait(NULL);
        say(semctl(set, 0, GETVAL) ? "1" : "0");
        return 0;
        """,
        {"00", "10"},
    ),
    "messages come in the order in which they were sent": Case(
        """
        int queue = msgget(IPC_PRIVATE, 0600);
        for (int i = 0; i < 2; i++)
            if (fork() == 0) { letter.text = (char)('a' + i); _exit(msgsnd(queue, &letter, 1, 0) != 0); }
        for (int i = 0; i < 2; i++)
            if (msgrcv(queue, &letter, 1, 0, 0) == 1) text[i] = letter.text;
        say(text);
        while (wait(NULL) > 0) {}
        return 0;
        """,
        {"ab", "ba"},
    ),
    "one after the other has the lock": Case(
        """
        close(open("data", O_CREAT, 0600));
        for (int i = 0; i < 2; i++)
            if (fork() == 0) {
                if (flock(open("data", O_RDONLY), LOCK_EX) == 0) { say(i ? "b" : "a"); say(i ? "B" : "A"); }
                _exit(0);
            }
        while (wait(NULL) > 0) {}
        return 0;
        """,
        {"aAbB", "bBaA"},
    ),
    "a lock of fcntl ends with its process": Case(
        """
        struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        int file = open("data", O_RDWR | O_CREAT, 0600);
        if (fork() == 0) { _exit(fcntl(file, F_SETLK, &whole) != 0); }
        if (fcntl(file, F_SETLKW, &whole) == 0) say("p");
        wait(NULL);
        say(fcntl(file, F_GETLK, &whole) == 0 && whole.l_type == F_UNLCK ? "u" : "l");
        return 0;
        """,
        {"pu"},
    ),
    "to close any descriptor of it gives up a lock of fcntl": Case(
        """
        struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        int file = open("data", O_RDWR | O_CREAT, 0600);
        if (fork() == 0) {
            if (fcntl(file, F_SETLK, &whole)) _exit(1);
            close(open("data", O_RDONLY));
            pause();
        }
        say(fcntl(file, F_GETLK, &whole) == 0 && whole.l_type == F_UNLCK ? "u" : "l");
        return 0;
        """,
        {"u", "l"},
    ),
    "a priority that another one has set": Case(
        """
        pid_t child = fork();
        if (child == 0) { say(getpriority(PRIO_PROCESS, 0) == 5 ? "5" : "0"); _exit(0); }
        setpriority(PRIO_PROCESS, (id_t)child, 5);
        wait(NULL);
        return 0;
        """,
        {"0", "5"},
    ),
    "the group that its parent puts it into": Case(
        """
        pid_t child = fork();
        if (child == 0) { say(getpgrp() == getpid() ? "own" : "old"); _exit(0); }
        setpgid(child, child);
        wait(NULL);
        return 0;
        """,
        {"own", "old"},
    ),
    "a lock from before there was anybody else": Case(
        """
        struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        int file = open("data", O_RDWR | O_CREAT, 0600);
        if (fcntl(file, F_SETLK, &whole)) return 1;
        if (fork() == 0) { say(fcntl(file, F_SETLK, &whole) ? "l" : "u"); _exit(0); }
        close(open("data", O_RDONLY));
        wait(NULL);
        return 0;
        """,
        {"u", "l"},
    ),
    "what SEM_UNDO takes back of before there was anybody else": Case(
        """
        int set = semget(IPC_PRIVATE, 1, 0600);
        add(set, 1, SEM_UNDO);
        if (fork() == 0) say(semctl(set, 0, GETVAL) ? "1" : "0");
        return 0;
        """,
        {"0", "1"},
    ),
    "a lock that is open in a child as well": Case(
        """
        int file = open("data", O_RDWR | O_CREAT, 0600);
        if (flock(file, LOCK_EX)) return 1;
        if (fork() == 0) _exit(0);
        if (fork() == 0) {
            int other = open("data", O_RDWR);
            close(file);
            say(flock(other, LOCK_EX | LOCK_NB) ? "l" : "u");
            _exit(0);
        }
        close(file);
        while (wait(NULL) > 0) {}
        return 0;
        """,
        {"u", "l"},
    ),
    "who does not get another kind of lock has lost the one that it had": Case(
        """
        int one = open("data", O_RDWR | O_CREAT, 0600), two = open("data", O_RDWR);
        if (flock(one, LOCK_SH)) return 1;
        if (fork() == 0) {
            int three = open("data", O_RDWR);
            close(one);
            close(two);
            if (flock(three, LOCK_SH | LOCK_NB)) { say("-"); _exit(0); }
            say("s");
            say(flock(three, LOCK_EX | LOCK_NB) ? "f" : "g");
            _exit(0);
        }
        flock(one, LOCK_UN);
        say(flock(two, LOCK_EX | LOCK_NB) ? "l" : "u");
        flock(two, LOCK_UN);
        wait(NULL);
        return 0;
        """,
        {"usg", "sfu", "suf", "sgl", "slg", "sgu", "lsg", "-u", "u-"},
    ),
    "whether the own folder is still there": Case(
        """
        mkdir("folder", 0700);
        if (chdir("folder")) return 1;
        if (fork() == 0) _exit(rmdir("../folder") != 0);
        char path[4096];
        say(getcwd(path, sizeof path) ? "there" : "gone");
        wait(NULL);
        return 0;
        """,
        {"there", "gone"},
    ),
    "what the own folder is called": Case(
        """
        mkdir("folder", 0700);
        if (chdir("folder")) return 1;
        if (fork() == 0) _exit(rename("../folder", "../another") != 0);
        char path[4096];
        say(strstr(getcwd(path, sizeof path), "/folder") ? "old" : "new");
        wait(NULL);
        return 0;
        """,
        {"old", "new"},
    ),
    "a group that has none but a zombie": Case(
        """
        int ends[2];
        if (pipe(ends)) return 1;
        pid_t child = fork();
        if (child == 0) { setpgid(0, 0); _exit(0); }
        close(ends[1]);
        if (read(ends[0], text, 1)) return 1;
        if (fork() == 0) {
            if (fork() == 0) { say(kill(-child, 0) ? "gone" : "there"); _exit(0); }
            wait(NULL);
            _exit(0);
        }
        waitpid(child, NULL, 0);
        wait(NULL);
        return 0;
        """,
        {"gone", "there"},
    ),
    "the group of who may have executed a program": Case(
        """
        pid_t child = fork();
        if (child == 0) { execl("/bin/true", "true", NULL); _exit(9); }
        say(setpgid(child, child) ? "late" : "set");
        wait(NULL);
        return 0;
        """,
        {"late", "set"},
    ),
    "the priority of a process that may be gone": Case(
        """
        pid_t child = fork();
        if (child == 0) _exit(0);
        if (fork() == 0) {
            errno = 0;
            getpriority(PRIO_PROCESS, (id_t)child);
            say(errno ? "gone" : "there");
            _exit(0);
        }
        while (wait(NULL) > 0) {}
        return 0;
        """,
        {"gone", "there"},
    ),
    "a signal that waits while its process is in vfork": Case(
        """
        sigset_t mask;
        sigemptyset(&mask);
        sigaddset(&mask, SIGUSR1);
        sigprocmask(SIG_BLOCK, &mask, NULL);
        pid_t parent = getpid();
        pid_t sender = fork();
        if (sender == 0) { kill(parent, SIGUSR1); _exit(0); }
        pid_t other = vfork();
        if (other == 0) _exit(0);
        sigpending(&mask);
        say(sigismember(&mask, SIGUSR1) ? "yes" : "no");
        waitpid(sender, NULL, 0);
        waitpid(other, NULL, 0);
        return 0;
        """,
        {"yes", "no"},
    ),
}


@pytest.mark.parametrize("name", every_other(CASES))
def test_every_order_is_found_and_no_other(name: str, runnable: Runnable, folder: Path) -> None:
    case = CASES[name]
    found = explore(**runnable("c", HEAD + f"int main(void) {{ {case.body} }}"), text_only=True)
    assert (set(found.outputs), found.reasons) == (case.outputs, ())
    assert not os.listdir(folder)


def test_a_call_that_concerns_nobody_has_nothing_of_the_one_before_it(runnable: Runnable) -> None:
    """Where it stands still after each of its calls, as it catches a signal."""
    text = f"""{HEAD}
        #include <sys/random.h>
        static void heard(int number) {{ (void)number; }}
        int main(void) {{
            char chance;
            int file = open("data", O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0600);
            signal(SIGUSR1, heard);
            if (fork() == 0) _exit(write(file, "c", 1) != 1);
            if (write(file, "p", 1) != 1 || getrandom(&chance, 1, 0) != 1) return 1;
            lseek(file, 0, SEEK_SET);
            if (read(file, text, 1) == 1) say(text);
            wait(NULL);
        }}
    """
    found = explore(**runnable("c", text))
    [reason] = found.reasons  # it says nothing of chance, but asks for it
    assert reason.startswith("P asks for random numbers, which nobody decides")


NOT_MODELLED = {
    "P.1 calls prctl, which is not modelled": "prctl(PR_SET_PDEATHSIG, 1);",
    "P.1 calls system call 999, which is not modelled": "syscall(999);",
    "P.1 calls unshare, which is not modelled": "unshare(CLONE_FILES);",
    "P.1 calls read, which is not modelled": 'if (read(inotify_init(), text, 8) != 8) say("?");',
    "P.1 calls ioctl, which is not modelled": "syscall(SYS_ioctl, 0, 0x5421, text);",
    "It makes a PID namespace of its own, which is not modelled": "unshare(CLONE_NEWPID);",
    "it maps the file data into memory, and others change it": """
        int file = open("data", O_RDWR);
        if (mmap(0, 1, PROT_READ, MAP_PRIVATE, file, 0) == MAP_FAILED) say("?");
    """,
    "P.1 calls fcntl, which is not modelled": "fcntl(ends[0], F_SETFL, O_ASYNC);",
    "P.1 calls sendfile, which is not modelled": "sendfile(1, data, NULL, 1);",
    "P.1 calls openat, which is not modelled": 'open("/proc/self/fd/5", O_WRONLY | O_TRUNC);',
    "P.1 waits with flock for another kind of lock than it has": """
        int one = open("data", O_RDONLY), other = open("data", O_RDONLY);
        flock(other, LOCK_SH); flock(one, LOCK_SH); flock(one, LOCK_EX);
    """,
    "P.1 sets O_NONBLOCK where P may sleep by then": "fcntl(ends[0], F_SETFL, O_NONBLOCK);",
}


OF_BEFORE = {
    "P calls fcntl, which is not modelled": [
        'fcntl(open("data", O_RDONLY), F_SETLEASE, F_RDLCK);',
        "fcntl(ends[1], F_SETPIPE_SZ, 4096);",
        "fcntl(ends[0], F_SETFL, O_ASYNC);",
        "fcntl(ends[0], F_SETFL, O_DIRECT);",
    ],
    "P calls mq_notify, which is not modelled": ["syscall(SYS_mq_notify, 99, NULL);"],
    "it uses a pipe in which packets stay apart, by O_DIRECT": ["pipe2(ends, O_DIRECT);"],
    "it maps the file data into memory, and others change it": [
        'mmap(0, 1, PROT_READ, MAP_PRIVATE, open("data", O_RDWR), 0);'
    ],
}


@pytest.mark.parametrize(
    ("reason", "does"), [(reason, does) for reason in OF_BEFORE for does in OF_BEFORE[reason]]
)
def test_what_is_not_modelled_is_named_also_before_the_first_fork(
    reason: str, does: str, runnable: Runnable, folder: Path
) -> None:
    (folder / "data").write_text("x")
    body = f"""
        int ends[2];
        signal(SIGIO, SIG_IGN);
        if (pipe(ends)) return 1;
        {does}
        if (fork() == 0) _exit(write(open("data", O_RDWR | O_NONBLOCK), "y", 1) != 1);
        wait(NULL);
        return 0;
    """
    found = explore(**runnable("c", HEAD + f"int main(void) {{ {body} }}"))
    expected = reason.replace("data", f"{folder}/data")
    assert any(said.startswith(expected) for said in found.reasons), found.reasons


PAGES = {
    "as long as its pages are full": ("65536", "4096", ()),
    "but not if they are not": (
        "65000",
        "4096",
        ("P writes where a pipe may have no room, counted in pages",),
    ),
}


@pytest.mark.parametrize("name", PAGES)
def test_it_is_known_whether_a_pipe_has_room(name: str, runnable: Runnable) -> None:
    first, read, reasons = PAGES[name]
    body = f"""
        static char much[65536];
        int ends[2];
        if (pipe2(ends, O_NONBLOCK) || write(ends[1], much, {first}) != {first}) return 1;
        if (fork() == 0) _exit(read(ends[0], much, {read}) != {read});
        say(write(ends[1], much, 1000) < 0 ? "full" : "room");
        wait(NULL);
        return 0;
    """
    found = explore(**runnable("c", HEAD + f"int main(void) {{ {body} }}"), text_only=True)
    assert tuple(reason.partition(", in line")[0] for reason in found.reasons) == reasons
    assert set(found.outputs) == {"full", "room"}


@pytest.mark.parametrize("reason", NOT_MODELLED)
def test_what_is_not_modelled_is_named(reason: str, runnable: Runnable, folder: Path) -> None:
    body = f"""
        int ends[2];
        int data = open("data", O_RDWR | O_CREAT | O_TRUNC, 0600);
        if (pipe(ends)) return 1;
        if (fork() == 0) {{ {NOT_MODELLED[reason]} _exit(0); }}
        close(ends[1]);
        if (write(data, "x", 1) < 0 || read(ends[0], text, 1) < 0) return 1;
        wait(NULL);
        return 0;
    """
    found = explore(**runnable("c", HEAD + f"int main(void) {{ {body} }}"), text_only=True)
    assert not found.complete
    told = [known.replace(f"{folder}/", "") for known in found.reasons]
    assert any(known.startswith(reason) for known in told), told


def test_it_is_said_where_a_call_was_made_that_is_not_modelled(runnable: Runnable) -> None:
    """In the program, not in the library that makes it: also where there are others of its name, and deeper down."""
    text = f"""{HEAD}
        static void poke(int option) {{
            prctl(option, 1);
        }}
        int main(void) {{
            poke(PR_SET_NAME);
            if (fork() == 0) {{
                poke(PR_GET_DUMPABLE);
                printf("%d", 1); fflush(stdout);
                poke(PR_SET_PDEATHSIG);
                _exit(0);
            }}
            wait(NULL);
        }}
    """
    line = 1 + text[: text.index("prctl(option")].count("\n")
    reason = f"P.1 calls prctl, which is not modelled, in line {line} of cell.c"
    assert explore(**runnable("c", text)).reasons == (reason,)


def test_who_does_not_wait_for_the_lock_says_so_in_every_order(runnable: Runnable) -> None:
    """The two that lose can lose to either of the others."""
    body = """
        close(open("data", O_CREAT, 0600));
        for (int i = 0; i < 2; i++)
            if (fork() == 0) {
                if (flock(open("data", O_RDONLY), LOCK_EX | LOCK_NB)) say("-");
                else say(i ? "b" : "a");
                _exit(0);
            }
        while (wait(NULL) > 0) {}
        return 0;
    """
    found = explore(**runnable("c", HEAD + f"int main(void) {{ {body} }}"), text_only=True)
    assert found.complete, found.reasons
    assert set(found.outputs) == {"ab", "ba", "a-", "-a", "b-", "-b"}


@pytest.mark.parametrize("mode", ["O_WRONLY | O_CREAT", "O_WRONLY"])
def test_who_executes_what_another_one_writes_may_find_it_busy(
    mode: str, runnable: Runnable, folder: Path
) -> None:
    """ETXTBSY, execve(2)."""
    (folder / "tool").write_text("#!/bin/true\n")
    (folder / "tool").chmod(0o700)
    body = f"""
        if (fork() == 0) {{ execl("./tool", "tool", NULL); say("busy"); _exit(0); }}
        close(open("tool", {mode}, 0700));
        wait(NULL);
        return 0;
    """
    found = explore(**runnable("c", HEAD + f"int main(void) {{ {body} }}"))
    assert any("tool, which another one" in reason for reason in found.reasons)


def test_who_wait_for_each_others_locks_may_be_told_of_it(runnable: Runnable) -> None:
    """EDEADLK, fcntl(2): where nobody really waits, the kernel does not see it."""
    body = """
        struct flock byte = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
        int file = open("data", O_RDWR | O_CREAT, 0600);
        int is_child = fork() == 0;
        byte.l_start = is_child;
        if (fcntl(file, F_SETLKW, &byte)) return 1;
        byte.l_start = !is_child;
        say(fcntl(file, F_SETLKW, &byte) ? "circle" : "both");
        return 0;
    """
    found = explore(**runnable("c", HEAD + f"int main(void) {{ {body} }}"))
    assert any("EDEADLK" in reason for reason in found.reasons)


def test_who_wait_for_one_lock_after_the_other_are_no_circle(runnable: Runnable) -> None:
    body = """
        struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        int file = open("data", O_RDWR | O_CREAT, 0600);
        for (int i = 0; i < 2; i++)
            if (fork() == 0) { if (!fcntl(file, F_SETLKW, &whole)) say("in"); _exit(0); }
        if (!fcntl(file, F_SETLKW, &whole)) say("in");
        return 0;
    """
    found = explore(**runnable("c", HEAD + f"int main(void) {{ {body} }}"), text_only=True)
    assert (set(found.outputs), found.reasons) == ({"ininin"}, ())


SAID = {
    "P.1 may leave a group that P waits for by then": """
        setpgid(0, 0);
        if (fork() == 0) { setpgid(0, 0); _exit(0); }
        waitpid(0, NULL, 0);
        while (wait(NULL) > 0) {}
        return 0;
    """,
    "SIGTSTP does not stop P.1 here, as there is no shell above its group": """
        if (fork() == 0) { raise(SIGTSTP); _exit(0); }
        waitpid(-1, NULL, WUNTRACED);
        return 0;
    """,
    "it opens /dev/tty, and has no terminal of its own here": """
        return open("/dev/tty", O_WRONLY) < 0;
    """,
    "what P writes by sendfile is not seen": """
        return sendfile(1, open("/etc/passwd", O_RDONLY), NULL, 1) < 0;
    """,
    "what P writes by pwritev2 is not seen": """
        struct { const char *base; size_t size; } piece = {"a", 1};
        return syscall(SYS_pwritev2, 1, &piece, 1, -1L, -1L, 0) < 0;
    """,
    "P.1 is stopped when P ends: below a shell it would get SIGHUP and SIGCONT then": """
        if (fork() == 0) { raise(SIGSTOP); _exit(0); }
        waitpid(-1, NULL, WUNTRACED);
        return 0;
    """,
}


@pytest.mark.parametrize("reason", SAID)
def test_what_is_not_as_where_nobody_is_held_is_said(reason: str, runnable: Runnable) -> None:
    found = explore(**runnable("c", HEAD + f"int main(void) {{ {SAID[reason]} }}"))
    assert [said.partition(", in line")[0] for said in found.reasons] == [reason]


def test_a_file_without_a_name_is_the_same_in_each_run(runnable: Runnable) -> None:
    body = """
        int file = open(".", O_TMPFILE | O_RDWR, 0600);
        if (write(file, "ab", 2) != 2 || lseek(file, 0, SEEK_SET)) return 1;
        if (fork() == 0) _exit(read(file, text, 1) != 1);
        if (read(file, text, 1) == 1) say(text);
        wait(NULL);
        return 0;
    """
    found = explore(**runnable("c", HEAD + f"int main(void) {{ {body} }}"), text_only=True)
    assert (set(found.outputs), found.reasons) == ({"a", "b"}, ())
