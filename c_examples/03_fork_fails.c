/* fork fails when there are too many processes. See notebooks/03_something_else.ipynb. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

int main(void) {
    /* The limit does not bind root: become "nobody". Where that is refused, play the failure. */
    int bound = getuid() != 0 || setuid(65534) == 0;
    setrlimit(RLIMIT_NPROC, &(struct rlimit){0, 0});
    errno = EAGAIN;
    pid_t result = bound ? fork() : -1;
    if (result == -1)
        printf("fork returned %d: %s\n", result, strerror(errno));
}
