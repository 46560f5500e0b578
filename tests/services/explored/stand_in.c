/* In the place of the manager: tells a keeper to run a service, and writes down all that it
 * reports.
 *
 *     stand_in KEEPER PLAY PROGRAM [ARGUMENT...]
 *
 * PLAY is "listen"; "kill", which sends SIGTERM to everybody, at once, so at any moment of the
 * service's beginning and end; or "leave", which goes away as soon as the service has been started.
 * What the service writes is in the same output.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LONGEST = 4096 };

static char order[LONGEST];
static size_t length;

static void add(const char *field) {
    strcpy(order + length, field);
    length += strlen(field) + 1;
}

static void tell(int keeper, const int *streams) {
    char beside[CMSG_SPACE(3 * sizeof(int))] = {0};
    struct iovec piece = {order, length};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    if (streams != NULL) {
        message.msg_control = beside;
        message.msg_controllen = sizeof beside;
        struct cmsghdr *right = CMSG_FIRSTHDR(&message);
        right->cmsg_level = SOL_SOCKET;
        right->cmsg_type = SCM_RIGHTS;
        right->cmsg_len = CMSG_LEN(3 * sizeof(int));
        memcpy(CMSG_DATA(right), streams, 3 * sizeof(int));
    }
    sendmsg(keeper, &message, MSG_NOSIGNAL);
    length = 0;
}

static void run(int keeper, char **words) {
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC), streams[] = {nothing, 1, nothing};
    char count[16];
    int arguments = 0;
    while (words[arguments] != NULL)
        arguments++;
    sprintf(count, "%d", arguments);
    const char *about[] = {"run", "main", "/", "", "", "", words[0], count};
    for (size_t field = 0; field < sizeof about / sizeof *about; field++)
        add(about[field]);
    for (char **word = words; *word != NULL; word++)
        add(*word);
    tell(keeper, streams);
}

static void terminate(int keeper) {
    add("kill");
    add("15");
    add("everybody");
    tell(keeper, NULL);
}

int main(int count, char **words) {
    int pair[2], status;
    char report[LONGEST], number[16];
    if (count < 4 || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0 ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return 2;
    pid_t keeper = fork();
    if (keeper == 0) {
        sprintf(number, "%d", dup(pair[1]));
        setsid();
        execl(words[1], "keeper", number, (char *)NULL);
        _exit(9);
    }
    close(pair[1]);
    run(pair[0], words + 3);
    if (strcmp(words[2], "kill") == 0)
        terminate(pair[0]);
    for (ssize_t size; (size = recv(pair[0], report, sizeof report - 2, 0)) > 0;) {
        report[size] = '\0';
        int is_last = strcmp(report, "empty 1") == 0 ||
                      (strcmp(words[2], "leave") == 0 && strncmp(report, "started", 7) == 0);
        report[size] = '\n';
        if (write(1, report, (size_t)size + 1) < 0 || is_last)
            break;
    }
    close(pair[0]);
    if (waitpid(keeper, &status, 0) != keeper)
        return 1;
    /* Whoever is still there would be ours now. */
    return status != 0 ? 3 : waitpid(-1, &status, 0) > 0 ? 4 : 0;
}
