/* A service that does what it is told, one argument after the other.
 *
 *     daemon      the first process ends, and its child goes on in a session of its own
 *     child       forks; both go on
 *     say=WORD    writes a line
 *     ready       announces that it is (sd_notify(3))
 *     term=PID    sends SIGTERM
 *     wait        for a signal
 *     deaf        ignores SIGTERM from now on
 *     exit=N
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void announce(const char *words) {
    struct sockaddr_un manager = {.sun_family = AF_UNIX};
    strncpy(manager.sun_path, getenv("NOTIFY_SOCKET"), sizeof manager.sun_path - 1);
    int speaker = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (sendto(speaker, words, strlen(words), 0, (struct sockaddr *)&manager, sizeof manager) < 0)
        _exit(9);
    close(speaker);
}

int main(int count, char **words) {
    for (int place = 1; place < count; place++) {
        char *word = words[place], *value = strchr(word, '=');
        value = value != NULL ? value + 1 : "";
        if (strcmp(word, "daemon") == 0) {
            if (fork() > 0)
                _exit(0);
            setsid();
        } else if (strcmp(word, "child") == 0) {
            fork();
        } else if (strncmp(word, "say=", 4) == 0) {
            char line[64];
            int size = snprintf(line, sizeof line, "%s\n", value);
            if (write(1, line, (size_t)size) < 0)
                _exit(9);
        } else if (strcmp(word, "ready") == 0) {
            announce("READY=1");
        } else if (strncmp(word, "term=", 5) == 0) {
            kill(atoi(value), SIGTERM);
        } else if (strcmp(word, "wait") == 0) {
            pause();
        } else if (strcmp(word, "deaf") == 0) {
            signal(SIGTERM, SIG_IGN);
        } else if (strncmp(word, "exit=", 5) == 0) {
            _exit(atoi(value));
        }
    }
    return 0;
}
