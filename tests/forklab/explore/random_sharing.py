"""Small C programs that nobody wrote: processes that share files, names, locks, pipes, semaphores, in any order.

Each process collects what its calls answer, failing ones too, and writes that in one line at its end.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

HEAD = """\
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int ends[2], shared, semaphore, queue, counter, tickets, pair[2], reader, writer, letters, all, signals;
static pid_t child, first;
static char line[80];
static int length;
static sem_t *one, *other;
static char name[40];
struct letter { long type; char text; };

/* A number as a digit, an error as a letter. */
static void note(long answer) {
    line[length++] = answer >= 0 ? (char)('0' + answer % 10) : (char)('a' + errno % 26);
}
static void tell(void) {
    line[length] = '\\n';
    if (write(1, line, (size_t)length + 1) < 0) _exit(9);
}
static long and_close(int file, long answer) {
    int error = errno;
    close(file);
    errno = error;
    return answer;
}
static long put(const char *name, int flags) {
    int file = open(name, O_WRONLY | flags, 0600);
    return file < 0 ? -1 : and_close(file, write(file, "x", 1));
}
static long get(const char *name) {
    char text[9];
    int file = open(name, O_RDONLY);
    return file < 0 ? -1 : and_close(file, read(file, text, 9));
}
static long get_one(int file) {
    char text = 0;
    long count = read(file, &text, 1);
    return count > 0 ? text : count;
}
static long size_of(const char *name) {
    struct stat about;
    return stat(name, &about) < 0 ? -1 : about.st_size;
}
/* Which of its folders it is in. */
static long here(void) {
    char path[4096];
    if (getcwd(path, sizeof path) == NULL) return -1;
    return strstr(path, "/folder") ? 1 : strstr(path, "/another") ? 2 : 0;
}
static long go(const char *name) { return chdir(name) < 0 ? -1 : here(); }
static long mode_of(const char *name) {
    struct stat about;
    return stat(name, &about) < 0 ? -1 : about.st_mode & 7;
}
static long names_in(const char *name) {
    DIR *folder = opendir(name);
    long count = 0;
    if (folder == NULL) return -1;
    while (readdir(folder) != NULL) count++;
    closedir(folder);
    return count;
}
static long add(int number, int flags) {
    struct sembuf operation = {0, (short)number, (short)flags};
    return semop(semaphore, &operation, 1);
}
static long send_letter(long type) {
    struct letter letter = {type, (char)('0' + type)};
    return msgsnd(queue, &letter, 1, IPC_NOWAIT);
}
static long receive(long type, int flags) {
    struct letter letter;
    return msgrcv(queue, &letter, 1, type, flags) < 0 ? -1 : letter.text;
}
static long lock(int command, short type) {
    struct flock whole = {.l_type = type, .l_whence = SEEK_SET};
    static int file;
    if (file == 0) file = open("data", O_RDWR);
    if (fcntl(file, command, &whole) < 0) return -1;
    return command == F_GETLK ? whole.l_type : 0;
}
static long lock_whole(int how) {
    static int file;
    if (file == 0) file = open("data", O_RDWR);
    return flock(file, how);
}
static long flags_of(int descriptor) {
    int flags = fcntl(descriptor, F_GETFL);
    return flags < 0 ? -1 : (flags & O_NONBLOCK) != 0;
}
static long count_up(int file, uint64_t count) { return write(file, &count, 8); }
static long count_down(int file) {
    uint64_t count;
    return read(file, &count, 8) < 0 ? -1 : (long)(count % 10);
}
/* What was heard first, and how much: "a" of 2 is 4, "b" of 1 is 6 ... */
static long hear(int file, size_t size, int flags) {
    char text[9] = {0};
    long count = recv(file, text, size, flags);
    return count <= 0 ? count : (text[0] - 'a') * 3 + count + 1;
}
static long send_in_two(int file, char *one, char *other) {
    struct iovec pieces[] = {{one, 1}, {other, 1}};
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 2};
    return sendmsg(file, &message, MSG_NOSIGNAL);
}
static long open_fifo(int *file, int flags) {
    int found = open("fifo", flags);
    if (found < 0) return -1;
    if (*file > 0) close(*file);
    *file = found;
    return 0;
}
static long ready(int file, int events, int limit) {
    struct pollfd wanted = {file, (short)events, 0};
    return poll(&wanted, 1, limit) < 0 ? -1 : wanted.revents;
}
static long next_letter(size_t size) {
    char text[2];
    unsigned priority;
    return mq_receive(letters, text, size, &priority) < 0 ? -1 : text[0] - '0' + (long)priority;
}
static long count_letters(void) {
    struct mq_attr attributes;
    return mq_getattr(letters, &attributes) < 0 ? -1 : attributes.mq_curmsgs;
}
static long watch(int what, int file, uint32_t events) {
    struct epoll_event event = {.events = events, .data.fd = file};
    return epoll_ctl(all, what, file, &event);
}
static long next_of_all(int limit) {
    struct epoll_event event = {0};
    long count = epoll_wait(all, &event, 1, limit);
    return count <= 0 ? count : event.data.fd == counter ? 2 : 3;
}
static long next_signal(void) {
    struct signalfd_siginfo about;
    if (read(signals, &about, sizeof about) < 0) return -1;
    return about.ssi_signo == SIGCHLD ? about.ssi_status : 8 + (about.ssi_pid == (uint32_t)first);
}
static long value_of(sem_t *posix) {
    int value;
    return sem_getvalue(posix, &value) < 0 ? -1 : value;
}
static long try_until(sem_t *posix, long second) {
    return sem_timedwait(posix, &(struct timespec){second, 0});
}
static long open_other(int flags, unsigned value) {
    sem_t *found = sem_open(name, flags, 0600, value);
    if (found == SEM_FAILED) return -1;
    if (other != NULL && other != found) sem_close(other);
    other = found;
    return 1;
}
static void take_notice(int number) { (void)number; }
/* Which of them are ready, in binary: two to read, one to write. */
static long one_of(int one, int other, int third) {
    fd_set in, out;
    FD_ZERO(&in);
    FD_ZERO(&out);
    FD_SET(one, &in);
    FD_SET(other, &in);
    if (third > 0) FD_SET(third, &out);
    if (select(FD_SETSIZE, &in, &out, NULL, NULL) < 0) return -1;
    return FD_ISSET(one, &in) + 2 * FD_ISSET(other, &in) + 4 * FD_ISSET(third, &out);
}
static int name_after_folder(void) {
    struct stat here;
    return stat(".", &here) || sprintf(name, "/forklab-%lu", here.st_ino) < 0;
}
static long start(void) {
    if (pipe(ends) || (shared = open("data", O_RDWR | O_CREAT | O_TRUNC, 0644)) < 0) return -1;
    if (write(shared, "0123456789", 10) < 0 || lseek(shared, 0, SEEK_SET) < 0) return -1;
    semaphore = semget(IPC_PRIVATE, 1, 0600);
    queue = msgget(IPC_PRIVATE, 0600);
    return semctl(semaphore, 0, SETVAL, 1);
}

int main(void) {
    if (start() < 0) return 8;
"""

# What some kinds need before the first fork.
SETUP = {
    "folders": 'if (mkdir("folder", 0700)) return 8;',
    "ends": "first = getpid();",
    "eventfds": "counter = eventfd(0, 0); tickets = eventfd(2, EFD_SEMAPHORE);",
    "streams": "if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair)) return 8;",
    "packets": "if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair)) return 8;",
    "queues": """
        struct mq_attr attributes = {.mq_maxmsg = 2, .mq_msgsize = 2};
        if (name_after_folder()) return 8;
        letters = mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, &attributes);
        if (letters < 0 || mq_unlink(name)) return 8;""",
    "polls": "counter = eventfd(0, 0); if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair)) return 8;",
    "epolls": """
        counter = eventfd(0, 0);
        all = epoll_create1(0);
        watch(EPOLL_CTL_ADD, counter, EPOLLIN);
        watch(EPOLL_CTL_ADD, ends[0], EPOLLIN);""",
    "signalfds": """
        sigset_t mask;
        sigemptyset(&mask);
        sigaddset(&mask, SIGUSR1);
        sigaddset(&mask, SIGCHLD);
        sigprocmask(SIG_BLOCK, &mask, NULL);
        signals = signalfd(-1, &mask, 0);
        first = getpid();""",
    "posix semaphores": """
        if (name_after_folder()) return 8;
        sem_unlink(name);
        one = sem_open(name, O_CREAT | O_EXCL, 0600, 1);
        sem_unlink(name);
        other = sem_open(name, O_CREAT | O_EXCL, 0600, 0);
        sem_unlink(name);
        if (one == SEM_FAILED || other == SEM_FAILED) return 8;""",
    "named semaphores": """
        if (name_after_folder()) return 8;
        sem_unlink(name);""",
    "unnamed semaphores": """
        one = mmap(NULL, 2 * sizeof *one, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        other = one + 1;
        if (sem_init(one, 1, 1) || sem_init(other, 1, 0)) return 8;""",
    "interrupted semaphores": """
        if (name_after_folder()) return 8;
        sem_unlink(name);
        one = sem_open(name, O_CREAT | O_EXCL, 0600, 0);
        sem_unlink(name);
        if (one == SEM_FAILED) return 8;
        sigaction(SIGUSR1, &(struct sigaction){.sa_handler = take_notice}, NULL);
        sigaction(SIGUSR2, &(struct sigaction){.sa_handler = take_notice, .sa_flags = SA_RESTART}, NULL);
        first = getpid();""",
    "fifos": 'if (mkfifo("fifo", 0600)) return 8;',
    "datagrams": "if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair)) return 8;",
}
# Of both ends of a socketpair.
_AT_SOCKETS = [
    call
    for this, other in [("pair[0]", "pair[1]"), ("pair[1]", "pair[0]")]
    for call in (
        f'note(send({this}, "ab", 2, MSG_NOSIGNAL));',
        f'note(write({this}, "c", 1));',
        f"note(hear({this}, 1, 0));",
        f"note(hear({other}, 3, 0));",
        f"note(hear({this}, 1, MSG_DONTWAIT));",
        f"note(hear({this}, 3, MSG_PEEK));",
        f"note(get_one({this}));",
        f"note(shutdown({this}, SHUT_WR));",
        f"note(shutdown({this}, SHUT_RD));",
        f"note(close({this}));",
        f"note(fcntl({this}, F_SETFL, O_NONBLOCK));",
        f'note(send_in_two({this}, "d", "e"));',
    )
]

_AT_TWO_SEMAPHORES = [
    "note(sem_wait(one));",
    "note(sem_wait(one));",
    "note(sem_trywait(one));",
    "note(sem_post(one));",
    "note(sem_post(one));",
    "note(value_of(one));",
    "note(try_until(one, 1));",
    "note(try_until(one, -1));",
    "note(sem_wait(other));",
    "note(sem_trywait(other));",
    "note(sem_post(other));",
    "note(value_of(other));",
    "note(kill(child, SIGKILL));",
]

# By kind: a program is about one of these, or two, so that its processes meet.
CALLS = {
    "names": [
        'note(put("new", O_CREAT | O_EXCL));',
        'note(put("new", O_CREAT | O_APPEND));',
        'note(get("new"));',
        'note(unlink("new"));',
        'note(access("new", F_OK));',
        'note(rename("new", "other"));',
        'note(rename("other", "new"));',
        'note(link("data", "new"));',
        'note(symlink("data", "new"));',
        'note(size_of("new"));',
    ],
    "folders": [
        'note(mkdir("folder", 0700));',
        'note(rmdir("folder"));',
        'note(put("folder/new", O_CREAT));',
        'note(unlink("folder/new"));',
        'note(names_in("folder"));',
        'note(chdir("folder"));',
        "note(here());",
        'note(go("folder"));',
        'note(put("new", O_CREAT));',
        'note(rename("folder", "another"));',
        'note(access("another/new", F_OK));',
    ],
    "contents": [
        'note(put("data", O_APPEND));',
        'note(put("data", O_TRUNC));',
        'note(size_of("data"));',
        'note(get("data"));',
        'note(truncate("data", 4));',
        "note(ftruncate(shared, 2));",
        'note(chmod("data", 0641));',
        'note(mode_of("data"));',
    ],
    "offsets": [
        "note(get_one(shared));",
        "note(lseek(shared, 5, SEEK_SET));",
        "note(lseek(shared, 0, SEEK_CUR));",
        'note(write(shared, "7", 1));',
        "note(get_one(dup(shared)));",
        'note(get("data"));',
        "note(fcntl(shared, F_SETFL, O_APPEND));",
        "note((fcntl(shared, F_GETFL) & O_APPEND) != 0);",
    ],
    "pipes": [
        "note(get_one(ends[0]));",
        'note(write(ends[1], "4", 1));',
        "note(get_one(ends[1]));",
        'note(write(ends[0], "x", 1));',
        "note(read(ends[0], line, 0));",
        "note(write(ends[1], line, 0));",
        "note(fcntl(ends[0], F_SETFL, O_NONBLOCK));",
        "note(fcntl(ends[0], F_SETFL, 0));",
        "note(flags_of(ends[0]));",
        "note(close(ends[0]));",
        "note(close(ends[1]));",
    ],
    "semaphores": [
        "note(add(1, 0));",
        "note(add(-1, 0));",
        "note(add(-1, IPC_NOWAIT));",
        "note(add(-1, SEM_UNDO));",
        "note(semctl(semaphore, 0, GETVAL));",
        "note(semctl(semaphore, 0, SETVAL, 2));",
    ],
    "posix semaphores": _AT_TWO_SEMAPHORES,
    "unnamed semaphores": _AT_TWO_SEMAPHORES,
    "named semaphores": [
        "note(open_other(O_CREAT, 1));",
        "note(open_other(O_CREAT, 0));",
        "note(open_other(O_CREAT | O_EXCL, 2));",
        "note(open_other(0, 0));",
        "note(sem_unlink(name));",
        "if (other != NULL) note(sem_wait(other));",
        "if (other != NULL) note(sem_trywait(other));",
        "if (other != NULL) note(sem_post(other));",
        "if (other != NULL) note(value_of(other));",
    ],
    "interrupted semaphores": [
        "note(sem_wait(one));",
        "note(sem_wait(one));",
        "note(sem_post(one));",
        "note(sem_trywait(one));",
        "note(try_until(one, 1));",
        "note(kill(child, SIGUSR1));",
        "note(kill(child, SIGUSR2));",
        "note(kill(first, SIGUSR1));",
        "note(kill(first, SIGUSR2));",
    ],
    "messages": [
        "note(send_letter(1));",
        "note(send_letter(2));",
        "note(receive(0, 0));",
        "note(receive(2, 0));",
        "note(receive(0, IPC_NOWAIT));",
    ],
    "locks": [
        "note(lock_whole(LOCK_EX));",
        "note(lock_whole(LOCK_EX | LOCK_NB));",
        "note(lock_whole(LOCK_SH | LOCK_NB));",
        "note(lock_whole(LOCK_UN));",
        "note(lock(F_SETLK, F_WRLCK));",
        "note(lock(F_SETLKW, F_WRLCK));",
        "note(lock(F_SETLK, F_UNLCK));",
        "note(lock(F_GETLK, F_WRLCK));",
        'note(close(open("data", O_RDONLY)));',
    ],
    "ends": [
        "note(get_one(ends[0]));",
        "note(get_one(ends[0]));",
        'note(write(ends[1], "7", 1));',
        "note(close(ends[1]));",
        "note(waitpid(-1, NULL, WNOHANG) > 0);",
        "note(waitpid(child, NULL, WNOHANG) > 0);",
        "note(wait(NULL) == child);",
        "note(lock_whole(LOCK_EX));",
        "note(getppid() == first);",
        "note(kill(child, SIGTERM));",
        "note(kill(child, SIGKILL));",
        "note(kill(child, 0));",
        "note(fcntl(ends[0], F_SETFL, O_NONBLOCK));",
        "note(add(-1, SEM_UNDO | IPC_NOWAIT));",
        "if ((child = vfork()) == 0) _exit(3);",
    ],
    "processes": [
        # As nice as can be: who is root of its own namespace only may not take any of it back, see setpriority(2).
        "note(setpriority(PRIO_PROCESS, 0, 19));",
        "note(setpriority(PRIO_PROCESS, child, 19));",
        "note(getpriority(PRIO_PROCESS, 0));",
        "note(getpriority(PRIO_PROCESS, child));",
        "note(setpgid(child, child));",
        "note(getpgid(child) == child);",
        "note(kill(child, 0));",
        "note(kill(-child, 0));",
        'if ((child = fork()) == 0) { execl("/bin/true", "true", NULL); _exit(9); }',
        "note(wait(NULL) > 0);",
    ],
    "eventfds": [
        "note(count_up(counter, 1));",
        "note(count_up(counter, 2));",
        "note(count_down(counter));",
        "note(count_up(counter, UINT64_MAX - 1));",
        "note(count_up(counter, UINT64_MAX));",
        "note(read(counter, line, 4));",
        "note(fcntl(counter, F_SETFL, O_NONBLOCK));",
        "note(fcntl(counter, F_SETFL, 0));",
        "note(flags_of(counter));",
        "note(close(counter));",
        "note(count_up(tickets, 1));",
        "note(count_down(tickets));",
    ],
    "streams": [*_AT_SOCKETS, "note(hear(pair[0], 0, 0));"],
    "packets": [*_AT_SOCKETS, "note(send(pair[0], line, 0, MSG_NOSIGNAL));"],
    "datagrams": [*_AT_SOCKETS, "note(send(pair[0], line, 0, 0));"],
    "fifos": [
        "note(open_fifo(&reader, O_RDONLY));",
        "note(open_fifo(&writer, O_WRONLY));",
        "note(open_fifo(&reader, O_RDONLY | O_NONBLOCK));",
        "note(open_fifo(&writer, O_WRONLY | O_NONBLOCK));",
        "note(open_fifo(&reader, O_RDWR));",
        "note(open_fifo(&writer, O_RDWR));",
        "note(get_one(reader));",
        'note(write(writer, "6", 1));',
        "note(get_one(reader));",
        'note(write(writer, "8", 1));',
        "note(close(reader));",
        "note(close(writer));",
        'note(unlink("fifo"));',
        'note(mkfifo("fifo", 0600));',
    ],
    "polls": [
        "note(ready(ends[0], POLLIN, -1));",
        "note(ready(ends[0], POLLIN, 0));",
        "note(ready(ends[1], POLLOUT, -1));",
        "note(ready(counter, POLLIN, -1));",
        "note(ready(counter, POLLIN | POLLOUT, 0));",
        "note(ready(pair[0], POLLIN, -1));",
        "note(ready(pair[0], POLLIN | POLLOUT, 0));",
        "note(ready(pair[1], 0, -1));",
        "note(ready(99, POLLIN, -1));",
        "note(one_of(ends[0], counter, ends[1]));",
        "note(one_of(ends[0], counter, 0));",
        "note(one_of(pair[0], counter, ends[0]));",
        'note(write(ends[1], "4", 1));',
        'note(write(pair[1], "4", 1));',
        "note(count_up(counter, 1));",
        "note(count_up(counter, UINT64_MAX - 1));",
        "note(count_down(counter));",
        "note(get_one(ends[0]));",
        "note(get_one(pair[0]));",
        "note(close(ends[1]));",
        "note(close(pair[1]));",
        "note(close(ends[0]));",
    ],
    "queues": [
        'note(mq_send(letters, "3", 1, 0));',
        'note(mq_send(letters, "5", 1, 1));',
        'note(mq_send(letters, "777", 3, 1));',
        "note(next_letter(2));",
        "note(next_letter(2));",
        "note(next_letter(1));",
        "note(mq_setattr(letters, &(struct mq_attr){.mq_flags = O_NONBLOCK}, NULL));",
        "note(mq_setattr(letters, &(struct mq_attr){.mq_flags = 0}, NULL));",
        "note(count_letters());",
        "note(ready(letters, POLLIN, -1));",
        "note(ready(letters, POLLIN | POLLOUT, 0));",
        "note(mq_close(letters));",
    ],
    "epolls": [
        "note(next_of_all(-1));",
        "note(next_of_all(0));",
        "note(watch(EPOLL_CTL_DEL, ends[0], 0));",
        "note(watch(EPOLL_CTL_ADD, ends[0], EPOLLIN));",
        "note(watch(EPOLL_CTL_MOD, counter, EPOLLIN | EPOLLONESHOT));",
        "note(watch(EPOLL_CTL_MOD, counter, 0));",
        'note(write(ends[1], "4", 1));',
        "note(get_one(ends[0]));",
        "note(count_up(counter, 1));",
        "note(count_down(counter));",
        "note(close(ends[1]));",
        "note(close(ends[0]));",
        "note(close(all));",
    ],
    "signalfds": [
        "note(next_signal());",
        "note(next_signal());",
        "note(ready(signals, POLLIN, -1));",
        "note(ready(signals, POLLIN, 0));",
        "note(kill(child, SIGUSR1));",
        "note(kill(first, SIGUSR1));",
        "note(kill(getpid(), SIGUSR1));",
        "note(wait(NULL) > 0);",
        "note(fcntl(signals, F_SETFL, O_NONBLOCK));",
        "note(close(signals));",
    ],
    "errors": [
        "note(read(99, line, 1));",
        "note(close(99));",
        "note(write(99, line, 1));",
        "note(dup2(99, 98));",
        'note(get("missing"));',
        'note(get("/dev/null"));',
    ],
}
# What a process often does first: it closes the end that it does not need.
_CLOSES_END = ["note(close(ends[0]));", "note(close(ends[1]));"]
_CLOSES_SIDE = ["note(close(pair[0]));", "note(close(pair[1]));"]
BEGINNINGS = {
    "pipes": _CLOSES_END,
    "ends": ["note(close(ends[1]));"],
    "epolls": _CLOSES_END,
    "polls": _CLOSES_END + _CLOSES_SIDE,
    "streams": _CLOSES_SIDE,
    "packets": _CLOSES_SIDE,
    "datagrams": _CLOSES_SIDE,
}
_MOST_KINDS = CALLS.keys() - {"ends"}  # which has programs of its own
_MOST_FORKS = 2
_ALONE = 0.3  # what is done before there is anybody else may last
_BEGINS = 0.4  # of the processes that have something to close
# Between what it has heard last and what it writes it makes another step: then it has to remember.
_REMEMBERS = 0.3  # of the programs
_ANOTHER_STEP = "getpgrp();"


@dataclass
class _Author:
    """Writes one program."""

    chance: random.Random
    kinds: Sequence[str]
    words: Sequence[str] = ("",)
    most: int = 3  # calls in a row
    forks: int = 0

    def program(self) -> str:
        some = min(self.chance.choice([1, 1, 2]), len(self.kinds))
        kinds = self.chance.sample(self.kinds, some)
        self.calls = self.with_words(call for kind in kinds for call in CALLS[kind])
        self.beginnings = self.with_words(
            call for kind in kinds for call in BEGINNINGS.get(kind, ())
        )
        self.end = [_ANOTHER_STEP, "tell();"] if self.chance.random() < _REMEMBERS else ["tell();"]
        life = [SETUP[kind] for kind in kinds if kind in SETUP]
        if self.chance.random() < _ALONE:
            life.append(self.chance.choice(self.calls))
        life += [*self.fork(), *self.life(), *self.end]
        return HEAD + "".join(f"    {line}\n" for line in life) + "}\n"

    def with_words(self, calls: Iterable[str]) -> list[str]:
        return [call for call in calls if any(word in call for word in self.words)]

    def life(self) -> Iterator[str]:
        if self.beginnings and self.chance.random() < _BEGINS:
            yield self.chance.choice(self.beginnings)
        yield from self.block(self.chance.randint(1, self.most))

    def block(self, length: int) -> Iterator[str]:
        for _ in range(length):
            if self.forks < _MOST_FORKS and self.chance.random() < 0.1:
                yield from self.fork()
            else:
                yield self.chance.choice(self.calls)

    def fork(self) -> Iterator[str]:
        self.forks += 1
        yield "if ((child = fork()) == 0) {"
        yield "    length = 0;"
        yield from (f"    {line}" for line in [*self.life(), *self.end])
        yield "    _exit(0);"
        yield "}"


def random_sharing(
    seed: int, kinds: Iterable[str] = _MOST_KINDS, words: Sequence[str] = ("",), *, most: int = 3
) -> str:
    """The same text for the same seed. It is about one or two of these kinds, and makes calls with these words.

    `most` calls in a row; a few more for who forks, or begins by closing what it does not need.
    """
    return _Author(random.Random(seed), sorted(kinds), words, most).program()
