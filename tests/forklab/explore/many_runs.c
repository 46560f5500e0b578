/* Runs a program many times, one run after the other, and tells each output and status that it has
 * seen, once:
 *
 *     many_runs COUNT own-ipc|same-ipc PROGRAM        -> lines of: status, output in hexadecimal
 * digits
 *
 * It is PID 1 of a namespace, so all orphans of a run are its own: a run is over when there is
 * nobody left. Each has a folder of its own, below the one in which this is started. The status of
 * one that is not over in time is "late". */
#define _GNU_SOURCE
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST = 1 << 16, SECONDS = 60 };

static volatile sig_atomic_t is_late;
static char output[MOST];
static char **known;
static size_t known_count;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void too_late(int number) {
    (void)number;
    is_late = 1;
    kill(-1, SIGKILL);
}

static int drop(const char *path, const struct stat *about, int kind, struct FTW *place) {
    (void)about, (void)kind, (void)place;
    return remove(path);
}

static void tell(int status, size_t length) {
    char *line = malloc(2 * length + 16);
    if (line == NULL)
        fail("malloc");
    int end = is_late ? sprintf(line, "late ") : sprintf(line, "%d ", status);
    for (size_t place = 0; place < length; place++)
        end += sprintf(line + end, "%02x", (unsigned char)output[place]);
    for (size_t place = 0; place < known_count; place++)
        if (strcmp(known[place], line) == 0) {
            free(line);
            return;
        }
    known = realloc(known, (known_count + 1) * sizeof *known);
    if (known == NULL)
        fail("realloc");
    known[known_count++] = line;
    puts(line);
}

static void become(char *program, int out, int has_own_ipc) {
    if (has_own_ipc && unshare(CLONE_NEWIPC) < 0)
        fail("unshare");
    int nothing = open("/dev/null", O_RDONLY);
    if (setsid() < 0 || dup2(nothing, 0) < 0 || dup2(out, 1) < 0)
        fail("dup2");
    close(nothing);
    close(out);
    execv(program, (char *[]){program, NULL});
    fail(program);
}

static void run(char *program, int has_own_ipc) {
    char folder[] = "run-XXXXXX", name[64];
    struct stat about;
    int ends[2], status, first_status = 0;
    if (mkdtemp(folder) == NULL || chdir(folder) < 0 || stat(".", &about) < 0 ||
        pipe2(ends, O_CLOEXEC) < 0)
        fail(folder);
    is_late = 0;
    alarm(SECONDS);
    pid_t ended, first = fork();
    if (first == 0)
        become(program, ends[1], has_own_ipc);
    close(ends[1]);
    size_t length = 0;
    ssize_t got;
    while ((got = read(ends[0], output + length, MOST - length)) > 0)
        length += (size_t)got;
    while ((ended = wait(&status)) > 0)
        if (ended == first)
            first_status = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
    alarm(0);
    close(ends[0]);
    tell(first_status, length);
    snprintf(name, sizeof name, "/dev/shm/sem.forklab-%lu", (unsigned long)about.st_ino);
    unlink(name);
    if (chdir("..") < 0 || nftw(folder, drop, 8, FTW_DEPTH | FTW_PHYS) < 0)
        fail(folder);
}

int main(int count, char **words) {
    struct sigaction late = {.sa_handler = too_late, .sa_flags = SA_RESTART};
    if (count != 4 || sigaction(SIGALRM, &late, NULL) < 0)
        return 2;
    signal(SIGPIPE, SIG_DFL);
    for (int left = atoi(words[1]); left > 0 && !is_late; left--)
        run(words[3], strcmp(words[2], "own-ipc") == 0);
    return 0;
}
