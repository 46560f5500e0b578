/* webd: a daemon that serves nobody, to try init scripts with.
 *
 *     cc -o webd webd.c
 *     webd                    # goes into the background; its pid is in $TMPDIR/web.pid
 *     WEBD_FAILS=3 webd       # cannot start: exits with 3
 *     WEBD_TAKES=2 webd       # takes 2 s to end after SIGTERM
 *     WEBD_DEAF=1 webd        # does not listen to SIGTERM
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int number_of(const char *variable) {
    const char *value = getenv(variable);
    return value == NULL ? 0 : atoi(value);
}

static void write_pid(void) {
    const char *folder = getenv("TMPDIR");
    char path[4096];
    snprintf(path, sizeof path, "%s/web.pid", folder == NULL ? "/tmp" : folder);
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    fprintf(file, "%d\n", getpid());
    fclose(file);
}

int main(void) {
    if (number_of("WEBD_FAILS") != 0)
        return number_of("WEBD_FAILS");
    int ready[2];
    if (pipe(ready) != 0)
        return 1;
    if (fork() != 0) {
        /* Over once the daemon is ready: it says so by a byte. If it dies before, the pipe ends. */
        char byte;
        close(ready[1]);
        return read(ready[0], &byte, 1) == 1 ? 0 : 1;
    }
    setsid();
    sigset_t awaited;
    sigemptyset(&awaited);
    sigaddset(&awaited, SIGTERM);
    sigaddset(&awaited, SIGHUP);
    sigprocmask(SIG_BLOCK, &awaited, NULL);
    write_pid();
    if (write(ready[1], "", 1) != 1)
        return 1;
    close(ready[0]);
    close(ready[1]);
    int nowhere = open("/dev/null", O_RDWR);
    for (int standard = 0; standard < 3; standard++)
        dup2(nowhere, standard);
    if (nowhere > 2)
        close(nowhere);
    for (;;) {
        int number;
        sigwait(&awaited, &number);
        if (number == SIGTERM && number_of("WEBD_DEAF") == 0) {
            sleep((unsigned)number_of("WEBD_TAKES"));
            return 0;
        }
    }
}
