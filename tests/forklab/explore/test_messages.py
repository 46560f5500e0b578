"""Messages at sockets of unix(7): with descriptors in them, and to sockets that have a name."""

from __future__ import annotations

from pathlib import Path

import pytest
from sampled import every_third
from test_channels import HEAD, MORE, check
from test_shared_resources import Case

from forklab.explore import explore
from forklab.source import program_of

pytestmark = pytest.mark.usefixtures("pid_namespaces", "folder")

MESSAGES = """
/* A message with a descriptor, if that is one; where it is sent to, if not to the other end. */
static long post(int at, const char *words, int brings, struct sockaddr_un *to) {
    char beside[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec piece = {(char *)words, strlen(words)};
    struct msghdr message = {.msg_name = to, .msg_namelen = to ? sizeof *to : 0, .msg_iov = &piece, .msg_iovlen = 1};
    if (brings >= 0) {
        message.msg_control = beside;
        message.msg_controllen = sizeof beside;
        struct cmsghdr *right = CMSG_FIRSTHDR(&message);
        right->cmsg_level = SOL_SOCKET;
        right->cmsg_type = SCM_RIGHTS;
        right->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(right), &brings, sizeof(int));
    }
    return sendmsg(at, &message, MSG_NOSIGNAL);
}
/* The descriptor that has come with the next message; -1: none. */
static int next(int at) {
    char beside[CMSG_SPACE(sizeof(int))];
    struct iovec piece = {text, 8};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    message.msg_control = beside;
    message.msg_controllen = sizeof beside;
    long size = recvmsg(at, &message, 0);
    text[size > 0 ? size : 0] = 0;
    struct cmsghdr *right = size > 0 ? CMSG_FIRSTHDR(&message) : NULL;
    return right ? *(int *)CMSG_DATA(right) : -1;
}
static struct sockaddr_un named(const char *name) {
    struct sockaddr_un found = {.sun_family = AF_UNIX};
    strcpy(found.sun_path, name);
    return found;
}
static int mailbox(const char *name) {
    struct sockaddr_un own = named(name);
    int made = socket(AF_UNIX, SOCK_DGRAM, 0);
    if (bind(made, (struct sockaddr *)&own, sizeof own)) _exit(9);
    return made;
}
"""

CASES = {
    "who gets a descriptor can use it, and its last holder is the end of it": Case(
        """
        int ours[2], theirs[2];
        socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ours);
        socketpair(AF_UNIX, SOCK_STREAM, 0, theirs);
        if (fork() == 0) {
            close(theirs[0]); close(theirs[1]); close(ours[0]);
            int got = next(ours[1]);
            say("g");
            if (write(got, "x", 1) != 1) say("?");
            _exit(0);
        }
        if (post(ours[0], "take", theirs[1], NULL) != 4) say("?");
        close(theirs[1]);
        say(read(theirs[0], text, 8) == 1 ? "r" : "?");
        say(read(theirs[0], text, 8) == 0 ? "." : "?");
        wait(NULL);
        return 0;
        """,
        {"gr."},
    ),
    "a message holds open what it brings, until nobody can get it any more": Case(
        """
        int ours[2], theirs[2];
        socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ours);
        socketpair(AF_UNIX, SOCK_STREAM, 0, theirs);
        if (fork() == 0) { close(theirs[0]); close(theirs[1]); close(ours[0]); say("c"); _exit(0); }
        if (post(ours[0], "take", theirs[1], NULL) != 4) return 0;
        close(theirs[1]);
        close(ours[1]);
        say(read(theirs[0], text, 8) == 0 ? "." : "?");
        return 0;
        """,
        {"c."},
    ),
    "each gets one message, and cannot tell how many came after it": Case(
        """
        int pair[2];
        socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
        for (int i = 0; i < 2; i++)
            if (fork() == 0) { next(pair[1]); say(text); _exit(0); }
        if (post(pair[0], "1", -1, NULL) + post(pair[0], "2", -1, NULL) != 2) say("?");
        while (wait(NULL) > 0) {}
        return 0;
        """,
        {"12", "21"},
    ),
    "many write to a name, and one reads": Case(
        """
        struct sockaddr_un box = named("box");
        int own = mailbox("box");
        for (int i = 0; i < 2; i++)
            if (fork() == 0) {
                int mine = socket(AF_UNIX, SOCK_DGRAM, 0);
                close(own);
                _exit(sendto(mine, i ? "b" : "a", 1, 0, (struct sockaddr *)&box, sizeof box) != 1);
            }
        for (int i = 0; i < 2; i++) { next(own); say(text); }
        while (wait(NULL) > 0) {}
        unlink("box");
        return 0;
        """,
        {"ab", "ba"},
    ),
    "a name without a socket, and a socket without anybody": Case(
        """
        struct sockaddr_un box = named("box");
        int own = mailbox("box"), mine = socket(AF_UNIX, SOCK_DGRAM, 0);
        if (fork() == 0) {
            close(own);
            say(post(mine, "x", -1, &box) == 1 ? "s" : errno == ENOENT ? "n" : errno == ECONNREFUSED ? "r" : "?");
            _exit(0);
        }
        close(own);
        unlink("box");
        wait(NULL);
        return 0;
        """,
        {"s", "r", "n"},
    ),
    "who waits for room in a mailbox goes on when somebody reads": Case(
        """
        struct sockaddr_un box = named("box");
        int own = mailbox("box"), mine = socket(AF_UNIX, SOCK_DGRAM, 0);
        while (sendto(mine, "x", 1, MSG_DONTWAIT, (struct sockaddr *)&box, sizeof box) == 1) {}
        if (fork() == 0) { close(own); say(post(mine, "y", -1, &box) == 1 ? "w" : "?"); _exit(0); }
        say("r");
        next(own);
        wait(NULL);
        unlink("box");
        return 0;
        """,
        {"rw"},
    ),
}


@pytest.mark.parametrize("name", every_third(CASES))
def test_of_messages(name: str, folder: Path) -> None:
    check(CASES[name], folder, MESSAGES)


NOT_MODELLED = {
    "P.1 calls sendmsg, which is not modelled": """
        int pair[2], ends[2];
        if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) || pipe(ends)) return 1;
        if (fork() == 0) _exit(post(pair[0], "pipe", ends[0], NULL) != 4);
        wait(NULL);
        return 0;
    """,
    "it uses sockets": """
        struct sockaddr_un box = named("box");
        int own = socket(AF_UNIX, SOCK_STREAM, 0), mine = socket(AF_UNIX, SOCK_STREAM, 0);
        if (bind(own, (struct sockaddr *)&box, sizeof box) || listen(own, 1)) return 1;
        if (fork() == 0) _exit(connect(mine, (struct sockaddr *)&box, sizeof box));
        wait(NULL);
        unlink("box");
        return 0;
    """,
}


@pytest.mark.parametrize("reason", NOT_MODELLED)
def test_what_is_not_modelled_of_messages_is_named(reason: str) -> None:
    text = f"{HEAD}{MORE}{MESSAGES}int main(void) {{ {NOT_MODELLED[reason]} }}\n"
    with program_of("c", text) as program:
        found = explore(program.argv, program=program.path, limit=300)
    assert not found.complete
    assert any(known.startswith(reason) for known in found.reasons), found.reasons
