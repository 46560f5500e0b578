"""What processes tell each other by descriptors beside pipes: every order is found, and nothing is made up.

What really happens, with nobody holding them or by a seed, is among it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from free_runs import FOR_EVER, REST, free_runs
from real_kernel import DEADLINE
from sampled import every_other
from test_shared_resources import HEAD, Case
from test_shared_runs import led_run, possible

from forklab.explore import explore
from forklab.lens.record import record
from forklab.source import program_of

pytestmark = pytest.mark.usefixtures("pid_namespaces", "folder")

RUNS, SEEDS = 2, 2
SECONDS = 300.0  # a busy machine is slow
MORE = """
#include <mqueue.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>

static long put(int file, uint64_t count) { return write(file, &count, 8); }
/* What was in an eventfd; 0 if that was an error. */
static uint64_t get(int file) {
    uint64_t count = 0;
    return read(file, &count, 8) == 8 ? count : 0;
}
static void say_count(uint64_t count) {
    char digit = (char)('0' + count);
    if (write(1, &digit, 1) < 0) _exit(9);
}
static int ready(int file, int events, int limit) {
    struct pollfd wanted = {file, (short)events, 0};
    return poll(&wanted, 1, limit) < 0 ? -1 : wanted.revents;
}
/* There may be others on this machine at the same time. */
static const char *queue_name(void) {
    static char name[40];
    struct stat here;
    if (stat(".", &here) < 0) _exit(9);
    sprintf(name, "/forklab-%lu", here.st_ino);
    return name;
}
static mqd_t open_queue(int flags) {
    struct mq_attr attributes = {.mq_maxmsg = 3, .mq_msgsize = 2};
    return mq_open(queue_name(), flags, 0600, &attributes);
}
static void watch(int all, int file, uint32_t events) {
    struct epoll_event event = {.events = events, .data.fd = file};
    if (epoll_ctl(all, EPOLL_CTL_ADD, file, &event)) _exit(9);
}
/* One that is ready; 0 if none is in time. */
static int next_of(int all, int limit) {
    struct epoll_event event = {0};
    return epoll_wait(all, &event, 1, limit) < 0 ? -1 : event.data.fd;
}
static int signals_at(int number, int flags) {
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, number);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    return signalfd(-1, &mask, flags);
}
static void heard(int number) { (void)number; say("h"); }
"""

EVENTFDS = {
    "one of two readers gets it all, and the other one waits": Case(
        """
        int file = eventfd(0, 0);
        for (int i = 0; i < 2; i++)
            if (fork() == 0) { get(file); say(i ? "b" : "a"); _exit(0); }
        put(file, 2);
        wait(NULL);
        say("!");
        return 0;
        """,
        {"a!", "b!"},
    ),
    "counts add up until somebody reads": Case(
        """
        int file = eventfd(0, 0);
        if (fork() == 0) { put(file, 1); put(file, 2); _exit(0); }
        say_count(get(file));
        wait(NULL);
        return 0;
        """,
        {"1", "3"},
    ),
    "a semaphore gives one at a time": Case(
        """
        int file = eventfd(0, EFD_SEMAPHORE);
        for (int i = 0; i < 2; i++)
            if (fork() == 0) { say_count(get(file)); _exit(0); }
        put(file, 2);
        while (wait(NULL) > 0) {}
        return 0;
        """,
        {"11"},
    ),
    "who must not wait for it fails instead": Case(
        """
        int file = eventfd(0, EFD_NONBLOCK);
        if (fork() == 0) { put(file, 5); _exit(0); }
        say(get(file) == 5 ? "5" : errno == EAGAIN ? "-" : "?");
        wait(NULL);
        return 0;
        """,
        {"5", "-"},
    ),
    "nor does it wait after O_NONBLOCK was set by another one": Case(
        """
        int file = eventfd(0, 0);
        if (fork() == 0) { fcntl(file, F_SETFL, O_NONBLOCK); _exit(0); }
        wait(NULL);
        say(get(file) == 0 && errno == EAGAIN ? "-" : "?");
        return 0;
        """,
        {"-"},
    ),
    "who sleeps there already is not woken by that": Case(
        """
        int file = eventfd(0, 0);
        if (fork() == 0) { fcntl(file, F_SETFL, O_NONBLOCK); put(file, 1); _exit(0); }
        say(get(file) ? "1" : "-");
        wait(NULL);
        return 0;
        """,
        {"1", "-"},
    ),
    "a full one makes the writer wait": Case(
        """
        int file = eventfd(0, 0);
        put(file, UINT64_MAX - 1);
        if (fork() == 0) { put(file, 1); say("w"); _exit(0); }
        say("r");
        get(file);
        wait(NULL);
        say_count(get(file));
        return 0;
        """,
        {"rw1"},
    ),
    "what is no count is an error, and too little room too": Case(
        """
        int file = eventfd(0, 0);
        if (fork() == 0) {
            say(put(file, UINT64_MAX) < 0 && errno == EINVAL ? "e" : "?");
            say(read(file, text, 4) < 0 && errno == EINVAL ? "e" : "?");
            _exit(0);
        }
        wait(NULL);
        return 0;
        """,
        {"ee"},
    ),
    "two of them are two": Case(
        """
        int one = eventfd(0, 0), other = eventfd(0, 0);
        if (fork() == 0) { get(one); say("b"); put(other, 1); _exit(0); }
        say("a");
        put(one, 1);
        get(other);
        say("c");
        wait(NULL);
        return 0;
        """,
        {"abc"},
    ),
    "a handler comes between, and the call is made once more": Case(
        """
        struct sigaction action = {.sa_handler = heard};
        int file = eventfd(0, 0);
        sigaction(SIGUSR1, &action, NULL);
        pid_t child = fork();
        if (child == 0) { say(get(file) ? "1" : errno == EINTR ? "i" : "?"); _exit(0); }
        kill(child, SIGUSR1);
        put(file, 1);
        wait(NULL);
        return 0;
        """,
        {"h1", "hi"},
    ),
}


def check(case: Case, folder: Path, more: str = "") -> None:
    text = f"{HEAD}{MORE}{more}int main(void) {{ {case.body} }}\n"
    with program_of("c", text) as program:
        found = explore(program.argv, program=program.path, seconds=SECONDS)
        assert (set(found.outputs), found.reasons) == (case.outputs, ())
        assert not os.listdir(folder)
        assert program.path is not None
        seen = {led_run(program, folder, seed) for seed in range(SEEDS)}
        rest = REST if FOR_EVER in possible(found) else DEADLINE
        seen |= free_runs(program.path, folder, RUNS, rest)
        assert seen <= possible(found)


@pytest.mark.parametrize("name", every_other(EVENTFDS))
def test_of_eventfds(name: str, folder: Path) -> None:
    check(EVENTFDS[name], folder)


SOCKETPAIRS = {
    "there and back": Case(
        """
        int pair[2];
        socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
        if (fork() == 0) {
            close(pair[0]);
            if (read(pair[1], text, 8) == 1) say("b");
            if (write(pair[1], "x", 1) != 1 || read(pair[1], text, 8) != 0) say("?");
            say("d");
            _exit(0);
        }
        close(pair[1]);
        say("a");
        if (write(pair[0], "y", 1) != 1 || read(pair[0], text, 8) != 1) say("?");
        say("c");
        close(pair[0]);
        wait(NULL);
        return 0;
        """,
        {"abcd"},
    ),
    "one of two readers gets the first message": Case(
        """
        int pair[2];
        socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair);
        if (fork() == 0) { if (recv(pair[1], text, 8, 0) == 3) say("a"); _exit(0); }
        if (send(pair[0], "xyz", 3, 0) != 3 || send(pair[0], "z", 1, 0) != 1) say("?");
        if (recv(pair[1], text, 8, 0) == 3) say("b");
        return 0;
        """,
        {"a", "b"},
    ),
    "a stream flows together, and messages do not": Case(
        """
        int stream[2], packets[2];
        socketpair(AF_UNIX, SOCK_STREAM, 0, stream);
        socketpair(AF_UNIX, SOCK_DGRAM, 0, packets);
        if (fork() == 0) {
            if (write(stream[0], "12", 2) + write(stream[0], "3", 1) != 3) say("?");
            if (write(packets[0], "12", 2) + write(packets[0], "3", 1) != 3) say("?");
            _exit(0);
        }
        wait(NULL);
        say_count((uint64_t)read(stream[1], text, 8));
        say_count((uint64_t)read(packets[1], text, 8));
        return 0;
        """,
        {"32"},
    ),
    "what is only looked at stays there": Case(
        """
        int pair[2];
        socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
        if (fork() == 0) { if (send(pair[0], "x", 1, 0) < 0) say("?"); _exit(0); }
        say(recv(pair[1], text, 1, MSG_PEEK) == 1 ? "p" : "?");
        say(recv(pair[1], text, 1, 0) == 1 ? "r" : "?");
        say(recv(pair[1], text, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN ? "-" : "?");
        wait(NULL);
        return 0;
        """,
        {"pr-"},
    ),
    "who does not wait finds something or nothing": Case(
        """
        int pair[2];
        socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair);
        if (fork() == 0) { if (send(pair[0], "x", 1, 0) < 0) say("?"); _exit(0); }
        say(recv(pair[1], text, 1, 0) == 1 ? "x" : "-");
        wait(NULL);
        return 0;
        """,
        {"x", "-"},
    ),
    "nobody is there any more to hear it": Case(
        """
        int pair[2], status;
        socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
        if (fork() == 0) {
            close(pair[1]);
            say(write(pair[0], "x", 1) == 1 ? "w" : "?");
            _exit(0);
        }
        close(pair[0]);
        close(pair[1]);
        wait(&status);
        say(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE ? "!" : ".");
        return 0;
        """,
        {"w.", "!"},
    ),
    "the end of another one ends it": Case(
        """
        int pair[2];
        socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
        if (fork() == 0) _exit(0);
        close(pair[0]);
        say(read(pair[1], text, 1) == 0 ? "e" : "?");
        wait(NULL);
        return 0;
        """,
        {"e"},
    ),
    "who has it open as well keeps it from ending": Case(
        """
        int pair[2];
        socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
        if (fork() == 0) { if (read(pair[0], text, 1) == 0) say("?"); _exit(0); }
        close(pair[1]);
        say("a");
        wait(NULL);
        return 0;
        """,
        {"a"},
    ),
    "what was not read is an error for who sent it, once": Case(
        """
        int pair[2];
        socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
        if (send(pair[0], "x", 1, 0) != 1) return 1;
        pid_t child = fork();
        if (child == 0) { close(pair[0]); _exit(0); }
        close(pair[1]);
        say(read(pair[0], text, 1) < 0 && errno == ECONNRESET ? "r" : "?");
        say(read(pair[0], text, 1) == 0 ? "e" : "?");
        wait(NULL);
        return 0;
        """,
        {"re"},
    ),
    "who is shut out hears the end, and says nothing more": Case(
        """
        int pair[2];
        socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
        if (fork() == 0) { shutdown(pair[0], SHUT_WR); _exit(0); }
        say(read(pair[1], text, 1) == 0 ? "e" : "?");
        say(send(pair[0], "x", 1, MSG_NOSIGNAL) < 0 && errno == EPIPE ? "p" : "?");
        wait(NULL);
        return 0;
        """,
        {"ep"},
    ),
}


@pytest.mark.parametrize("name", every_other(SOCKETPAIRS))
def test_of_socketpairs(name: str, folder: Path) -> None:
    check(SOCKETPAIRS[name], folder)


FIFOS = {
    "who opens it waits for the other side": Case(
        """
        mkfifo("fifo", 0600);
        if (fork() == 0) {
            int file = open("fifo", O_WRONLY);
            say("w");
            if (write(file, "x", 1) != 1) say("?");
            _exit(0);
        }
        int file = open("fifo", O_RDONLY);
        say("r");
        say(read(file, text, 8) == 1 && read(file, text, 8) == 0 ? "." : "?");
        wait(NULL);
        return 0;
        """,
        {"wr.", "rw."},
    ),
    "nobody ever opens the other side": Case(
        """
        mkfifo("fifo", 0600);
        if (fork() == 0) { say("a"); _exit(open("fifo", O_RDONLY) >= 0); }
        wait(NULL);
        return 0;
        """,
        {"a"},
    ),
    "one who writes frees all who wait to read, and nobody who comes later": Case(
        """
        mkfifo("fifo", 0600);
        if (fork() == 0) _exit(open("fifo", O_WRONLY) < 0);
        if (fork() == 0) { if (open("fifo", O_RDONLY) >= 0) say("a"); _exit(0); }
        if (open("fifo", O_RDONLY) >= 0) say("b");
        return 0;
        """,
        {"a", "b", "ab", "ba"},
    ),
    "who does not wait to write needs somebody who reads": Case(
        """
        mkfifo("fifo", 0600);
        if (fork() == 0) _exit(open("fifo", O_RDONLY) < 0);
        int file = open("fifo", O_WRONLY | O_NONBLOCK);
        say(file >= 0 ? "w" : errno == ENXIO ? "-" : "?");
        if (file < 0) file = open("fifo", O_WRONLY);
        wait(NULL);
        return 0;
        """,
        {"w", "-"},
    ),
    "who does not wait to read finds the end, or nothing, or something": Case(
        """
        mkfifo("fifo", 0600);
        int file = open("fifo", O_RDONLY | O_NONBLOCK);
        if (fork() == 0) {
            int mine = open("fifo", O_WRONLY);
            _exit(write(mine, "x", 1) != 1);
        }
        long count = read(file, text, 8);
        say(count == 1 ? "x" : count == 0 ? "e" : errno == EAGAIN ? "-" : "?");
        wait(NULL);
        return 0;
        """,
        {"x", "e", "-"},
    ),
    "who opens it for both waits for nobody": Case(
        """
        mkfifo("fifo", 0600);
        int file = open("fifo", O_RDWR);
        if (fork() == 0) { if (read(file, text, 8) == 1) say("r"); _exit(0); }
        say("w");
        if (write(file, "x", 1) != 1) say("?");
        wait(NULL);
        return 0;
        """,
        {"wr"},
    ),
    "a name that comes and goes": Case(
        """
        if (fork() == 0) {
            int mine = open("fifo", O_RDONLY | O_NONBLOCK);
            say(mine >= 0 ? "f" : errno == ENOENT ? "-" : "?");
            _exit(0);
        }
        mkfifo("fifo", 0600);
        wait(NULL);
        unlink("fifo");
        return 0;
        """,
        {"f", "-"},
    ),
    "nobody reads any more": Case(
        """
        int status;
        mkfifo("fifo", 0600);
        pid_t child = fork();
        if (child == 0) {
            int mine = open("fifo", O_WRONLY);
            say(write(mine, "x", 1) == 1 ? "w" : "?");
            _exit(0);
        }
        close(open("fifo", O_RDONLY));
        wait(&status);
        say(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE ? "!" : ".");
        return 0;
        """,
        {"w.", "!"},
    ),
    "a signal ends the waiting for another one": Case(
        """
        struct sigaction action = {.sa_handler = heard};
        sigaction(SIGUSR1, &action, NULL);
        mkfifo("fifo", 0600);
        pid_t child = fork();
        if (child == 0) {
            say(open("fifo", O_RDONLY) < 0 && errno == EINTR ? "i" : "?");
            _exit(0);
        }
        kill(child, SIGUSR1);
        wait(NULL);
        return 0;
        """,
        {"hi", "h"},
    ),
}


@pytest.mark.parametrize("name", every_other(FIFOS))
def test_of_fifos(name: str, folder: Path) -> None:
    check(FIFOS[name], folder)


POLLS = {
    "somebody writes sooner or later": Case(
        """
        int ends[2];
        if (pipe(ends)) return 1;
        if (fork() == 0) { say("w"); _exit(write(ends[1], "x", 1) != 1); }
        say(ready(ends[0], POLLIN, -1) == POLLIN ? "r" : "?");
        wait(NULL);
        return 0;
        """,
        {"wr"},
    ),
    "who does not wait is told how it is": Case(
        """
        int file = eventfd(0, 0);
        if (fork() == 0) { put(file, 1); _exit(0); }
        say(ready(file, POLLIN, 0) ? "r" : "-");
        wait(NULL);
        return 0;
        """,
        {"r", "-"},
    ),
    "one of them, or both": Case(
        """
        int one[2], other = eventfd(0, 0);
        if (pipe(one)) return 1;
        if (fork() == 0) { put(other, 1); _exit(0); }
        if (fork() == 0) _exit(write(one[1], "x", 1) != 1);
        fd_set set;
        FD_ZERO(&set);
        FD_SET(one[0], &set);
        FD_SET(other, &set);
        say_count((uint64_t)select(FD_SETSIZE, &set, NULL, NULL, NULL));
        say(FD_ISSET(one[0], &set) ? "p" : "-");
        say(FD_ISSET(other, &set) ? "e" : "-");
        while (wait(NULL) > 0) {}
        return 0;
        """,
        {"1p-", "1-e", "2pe"},
    ),
    "the time is over first": Case(
        """
        int ends[2];
        if (pipe(ends)) return 1;
        if (fork() == 0) { sleep(3); say("w"); _exit(write(ends[1], "x", 1) != 1); }
        struct timeval limit = {2, 0};
        fd_set set;
        FD_ZERO(&set);
        FD_SET(ends[0], &set);
        say_count((uint64_t)select(FD_SETSIZE, &set, NULL, NULL, &limit));
        say_count((uint64_t)(FD_ISSET(ends[0], &set) + limit.tv_sec + limit.tv_usec));
        say_count((uint64_t)ready(ends[0], POLLIN, 2000));
        wait(NULL);
        return 0;
        """,
        {"00w1"},
    ),
    "to wait for nothing is to sleep": Case(
        """
        if (fork() == 0) { poll(NULL, 0, 1500); say("b"); _exit(0); }
        struct timeval limit = {1, 0};
        select(0, NULL, NULL, NULL, &limit);
        say("a");
        wait(NULL);
        return 0;
        """,
        {"ab"},
    ),
    "an end and an error are news": Case(
        """
        int ends[2], pair[2];
        if (pipe(ends) || socketpair(AF_UNIX, SOCK_STREAM, 0, pair)) return 1;
        if (fork() == 0) _exit(0);
        close(ends[1]);
        close(pair[1]);
        say(ready(ends[0], POLLIN, -1) == POLLHUP ? "e" : "?");
        say(ready(pair[0], POLLIN, -1) == (POLLIN | POLLHUP) ? "e" : "?");
        say(ready(99, POLLIN, -1) == POLLNVAL ? "n" : "?");
        wait(NULL);
        return 0;
        """,
        {"een"},
    ),
    "the end of a child is no news": Case(
        """
        int ends[2];
        if (pipe(ends)) return 1;
        if (fork() == 0) _exit(0);
        if (fork() == 0) { sleep(1); say("w"); _exit(write(ends[1], "x", 1) != 1); }
        say(ready(ends[0], POLLIN, 2000) == POLLIN ? "r" : "?");
        return 0;
        """,
        {"wr"},
    ),
    "there is room again": Case(
        """
        int file = eventfd(0, 0);
        put(file, UINT64_MAX - 1);
        if (fork() == 0) { say("r"); get(file); _exit(0); }
        say(ready(file, POLLOUT, -1) == POLLOUT ? "w" : "?");
        wait(NULL);
        return 0;
        """,
        {"rw"},
    ),
    "a signal ends it": Case(
        """
        int ends[2];
        struct sigaction action = {.sa_handler = heard, .sa_flags = SA_RESTART};
        sigaction(SIGUSR1, &action, NULL);
        if (pipe(ends)) return 1;
        pid_t child = fork();
        if (child == 0) {
            say(poll(&(struct pollfd){ends[0], POLLIN, 0}, 1, -1) < 0 && errno == EINTR ? "i" : "1");
            _exit(0);
        }
        kill(child, SIGUSR1);
        if (write(ends[1], "x", 1) != 1) return 1;
        wait(NULL);
        return 0;
        """,
        {"hi", "h1"},
    ),
    "a signal that it lets in only while it waits": Case(
        """
        int file = eventfd(0, 0);
        struct sigaction action = {.sa_handler = heard};
        sigset_t usual, all;
        sigfillset(&all);
        sigaction(SIGUSR1, &action, NULL);
        sigprocmask(SIG_BLOCK, &all, &usual);
        pid_t child = fork();
        if (child == 0) {
            struct pollfd wanted = {file, POLLIN, 0};
            say(ppoll(&wanted, 1, NULL, &usual) < 0 && errno == EINTR ? "i" : "?");
            _exit(0);
        }
        say("k");
        kill(child, SIGUSR1);
        wait(NULL);
        return 0;
        """,
        {"khi"},
    ),
}


@pytest.mark.parametrize("name", every_other(POLLS))
def test_of_polls(name: str, folder: Path) -> None:
    check(POLLS[name], folder)


QUEUES = {
    "the more urgent one comes first, then the older one": Case(
        """
        mqd_t queue = open_queue(O_CREAT | O_RDWR);
        if (fork() == 0) _exit(mq_send(queue, "b", 1, 0) || mq_send(queue, "c", 1, 0) || mq_send(queue, "a", 1, 9));
        wait(NULL);
        mq_unlink(queue_name());
        for (int i = 0; i < 3; i++) { mq_receive(queue, text, 2, NULL); say(text); }
        return 0;
        """,
        {"abc"},
    ),
    "one of two gets the letter, and the other one the next": Case(
        """
        mqd_t queue = open_queue(O_CREAT | O_RDWR);
        for (int i = 0; i < 2; i++)
            if (fork() == 0) { if (mq_receive(queue, text, 2, NULL) == 1) say(i ? "b" : "a"); _exit(0); }
        if (mq_send(queue, "x", 1, 0)) say("?");
        wait(NULL);
        say("-");
        if (mq_send(queue, "x", 1, 0)) say("?");
        wait(NULL);
        mq_unlink(queue_name());
        return 0;
        """,
        {"a-b", "b-a"},
    ),
    "a full one makes wait": Case(
        """
        mqd_t queue = open_queue(O_CREAT | O_RDWR);
        for (int i = 0; i < 3; i++) if (mq_send(queue, "x", 1, 0)) return 1;
        if (fork() == 0) { if (mq_send(queue, "y", 1, 0) == 0) say("s"); _exit(0); }
        say("r");
        mq_receive(queue, text, 2, NULL);
        wait(NULL);
        mq_unlink(queue_name());
        return 0;
        """,
        {"rs"},
    ),
    "who must not wait is told so": Case(
        """
        mqd_t queue = open_queue(O_CREAT | O_RDWR);
        if (fork() == 0) {
            mqd_t mine = open_queue(O_RDONLY | O_NONBLOCK);
            say(mq_receive(mine, text, 2, NULL) == 1 ? "x" : errno == EAGAIN ? "-" : "?");
            _exit(0);
        }
        if (mq_send(queue, "x", 1, 0)) return 1;
        wait(NULL);
        mq_unlink(queue_name());
        return 0;
        """,
        {"x", "-"},
    ),
    "one of two makes it, and both have it": Case(
        """
        for (int i = 0; i < 2; i++)
            if (fork() == 0) {
                mqd_t mine = open_queue(O_CREAT | O_EXCL | O_RDWR);
                say((int)mine >= 0 ? (i ? "b" : "a") : errno == EEXIST ? "-" : "?");
                _exit(0);
            }
        while (wait(NULL) > 0) {}
        say(mq_unlink(queue_name()) == 0 && mq_unlink(queue_name()) < 0 ? "." : "?");
        return 0;
        """,
        {"a-.", "-a.", "b-.", "-b."},
    ),
}


@pytest.mark.parametrize("name", every_other(QUEUES))
def test_of_message_queues_of_posix(name: str, folder: Path) -> None:
    check(QUEUES[name], folder)


EPOLLS = {
    "each in its time, and again until it is read": Case(
        """
        int one[2], other = eventfd(0, 0), all = epoll_create1(0);
        if (pipe(one)) return 1;
        watch(all, one[0], EPOLLIN);
        watch(all, other, EPOLLIN);
        if (fork() == 0) { sleep(1); put(other, 1); sleep(2); _exit(write(one[1], "x", 1) != 1); }
        say(next_of(all, -1) == other ? "e" : "?");
        say(next_of(all, 0) == other ? "e" : "?");
        get(other);
        say(next_of(all, 500) == 0 ? "-" : "?");
        say(next_of(all, -1) == one[0] ? "p" : "?");
        wait(NULL);
        return 0;
        """,
        {"ee-p"},
    ),
    "once, if that is wanted": Case(
        """
        int file = eventfd(0, 0), all = epoll_create1(0);
        watch(all, file, EPOLLIN | EPOLLONESHOT);
        if (fork() == 0) { put(file, 1); put(file, 1); _exit(0); }
        say(next_of(all, -1) == file ? "e" : "?");
        say(next_of(all, 1000) == 0 ? "-" : "?");
        wait(NULL);
        return 0;
        """,
        {"e-"},
    ),
    "who does not wait is told how it is": Case(
        """
        int ends[2], all = epoll_create1(0);
        if (pipe(ends)) return 1;
        watch(all, ends[0], EPOLLIN);
        if (fork() == 0) _exit(write(ends[1], "x", 1) != 1);
        say(next_of(all, 0) ? "p" : "-");
        say(epoll_ctl(all, EPOLL_CTL_DEL, ends[0], NULL) == 0 && next_of(all, 0) == 0 ? "." : "?");
        wait(NULL);
        return 0;
        """,
        {"p.", "-."},
    ),
    "there is nobody who could end it": Case(
        """
        int ends[2], all = epoll_create1(0);
        if (pipe(ends)) return 1;
        watch(all, ends[0], EPOLLIN);
        if (fork() == 0) { say("c"); _exit(0); }
        say("p");
        say(next_of(all, -1) ? "?" : "!");
        return 0;
        """,
        {"cp", "pc"},
    ),
}


@pytest.mark.parametrize("name", every_other(EPOLLS))
def test_of_epoll(name: str, folder: Path) -> None:
    check(EPOLLS[name], folder)


def test_a_socketpair_is_nobodys_from_outside(folder: Path) -> None:
    """The same seed gives the same; and where both wait at one, nobody ever ends that."""
    body = """
        int pair[2];
        socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
        fork();
        return read(pair[0], text, 1) != 1;
    """
    with program_of("c", f"{HEAD}{MORE}int main(void) {{ {body} }}\n") as program:
        recording = record(program.argv, program=program.path, seed=1)
    assert recording.ended_early and "nobody will ever wake them" in recording.ended_early
    assert recording.reproducible


NOT_MODELLED = {
    "epoll tells P of several descriptors, in some order": """
        int one = eventfd(0, 0), other = eventfd(0, 0), all = epoll_create1(0);
        watch(all, one, EPOLLIN);
        watch(all, other, EPOLLIN);
        if (fork() == 0) { put(one, 1); put(other, 1); _exit(0); }
        wait(NULL);
        return next_of(all, -1) <= 0;
    """,
    "it waits in epoll_wait, whose end is not chosen but happens": """
        int file = eventfd(0, 0), all = epoll_create1(0);
        watch(all, file, EPOLLIN | EPOLLET);
        if (fork() == 0) { put(file, 1); _exit(0); }
        return next_of(all, -1) <= 0;
    """,
    "P.1 calls sendmsg, which is not modelled": """
        int pair[2];
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair)) return 1;
        if (fork() == 0) {
            char beside[CMSG_SPACE(sizeof(int))] = {0};
            struct msghdr message = {.msg_control = beside, .msg_controllen = sizeof beside};
            sendmsg(pair[0], &message, 0);
            _exit(0);
        }
        wait(NULL);
        return 0;
    """,
    "P.1 calls recvfrom, which is not modelled": """
        int pair[2];
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair)) return 1;
        if (fork() == 0) _exit(recv(pair[0], text, 2, MSG_WAITALL) < 0);
        if (write(pair[1], "12", 2) != 2) return 1;
        wait(NULL);
        return 0;
    """,
    "P.1 calls sendfile, which is not modelled": """
        int pair[2], file = open("/etc/passwd", O_RDONLY);
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair)) return 1;
        if (fork() == 0) _exit(sendfile(pair[0], file, NULL, 1) != 1);
        return read(pair[1], text, 1) != 1;
    """,
    "P.1 calls write, which is not modelled": """
        int this = posix_openpt(O_RDWR | O_NOCTTY);
        if (grantpt(this) || unlockpt(this)) return 1;
        int other = open(ptsname(this), O_RDWR | O_NOCTTY);
        if (fork() == 0) _exit(write(other, "x", 1) != 1);
        return read(this, text, 1) != 1;
    """,
    "P.1 calls setsockopt, which is not modelled": """
        int pair[2];
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair)) return 1;
        if (fork() == 0) {
            struct timeval limit = {1, 0};
            setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
            _exit(read(pair[0], text, 1) >= 0);
        }
        wait(NULL);
        return 0;
    """,
    "P writes much into a socket at once, piece by piece": """
        int pair[2];
        static char much[100000];
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair)) return 1;
        if (fork() == 0) { while (read(pair[1], much, 9999) > 0) {} _exit(0); }
        close(pair[1]);
        return write(pair[0], much, sizeof much) < 0;
    """,
    "P writes more into a FIFO than fits, piece by piece": """
        static char much[100000];
        mkfifo("fifo", 0600);
        if (fork() == 0) { int mine = open("fifo", O_RDONLY); while (read(mine, much, 9999) > 0) {} _exit(0); }
        return write(open("fifo", O_WRONLY), much, sizeof much) < 0;
    """,
    "P.1 calls mq_timedreceive, which is not modelled": """
        mqd_t queue = open_queue(O_CREAT | O_RDWR);
        mq_unlink(queue_name());
        if (fork() == 0) {
            struct timespec soon = {1, 0};
            _exit(mq_timedreceive(queue, text, 2, NULL, &soon) >= 0);
        }
        wait(NULL);
        return mq_send(queue, "x", 1, 0) != 0;
    """,
}


@pytest.mark.parametrize("reason", NOT_MODELLED)
def test_what_is_not_modelled_of_channels_is_named(reason: str) -> None:
    text = f"{HEAD}{MORE}int main(void) {{ {NOT_MODELLED[reason]} }}\n"
    with program_of("c", text) as program:
        found = explore(program.argv, program=program.path, limit=300)
    assert not found.complete
    assert any(known.startswith(reason) for known in found.reasons), found.reasons


SIGNALFDS = {
    "how a child has ended": Case(
        """
        int file = signals_at(SIGCHLD, 0);
        if (fork() == 0) { say("c"); _exit(3); }
        struct signalfd_siginfo about;
        if (read(file, &about, sizeof about) != sizeof about) return 1;
        say_count(about.ssi_signo == SIGCHLD ? (uint64_t)about.ssi_status : 9);
        return 0;
        """,
        {"c3"},
    ),
    "nobody sends any": Case(
        """
        int file = signals_at(SIGUSR1, 0);
        struct signalfd_siginfo about;
        if (fork() == 0) { say("c"); _exit(0); }
        wait(NULL);
        return read(file, &about, sizeof about) < 0;
        """,
        {"c"},
    ),
    "two signals of one kind are one": Case(
        """
        int file = signals_at(SIGUSR1, SFD_NONBLOCK);
        struct signalfd_siginfo about;
        pid_t parent = getpid();
        for (int i = 0; i < 2; i++) if (fork() == 0) { kill(parent, SIGUSR1); _exit(0); }
        say(read(file, &about, sizeof about) > 0 ? "1" : "-");
        say(read(file, &about, sizeof about) > 0 ? "1" : "-");
        while (wait(NULL) > 0) {}
        say(read(file, &about, sizeof about) > 0 ? "1" : "-");
        return 0;
        """,
        {"--1", "-1-", "-11", "1--", "1-1", "11-"},
    ),
    "a signal or something to read": Case(
        """
        int ends[2], file = signals_at(SIGCHLD, 0);
        if (pipe(ends)) return 1;
        if (fork() == 0) { say("w"); _exit(write(ends[1], "x", 1) != 1); }
        struct pollfd both[] = {{file, POLLIN, 0}, {ends[0], POLLIN, 0}};
        say_count((uint64_t)poll(both, 2, -1));
        say(both[0].revents ? "s" : "-");
        say(both[1].revents ? "r" : "-");
        return 0;
        """,
        {"w1-r", "w2sr"},
    ),
}


@pytest.mark.parametrize("name", every_other(SIGNALFDS))
def test_of_signalfd(name: str, folder: Path) -> None:
    check(SIGNALFDS[name], folder)
