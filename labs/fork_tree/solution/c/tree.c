/* Makes a family of processes below itself, waits for it, and tells its size by exit statuses.
 *
 *     ./tree chain N      N generations, one child each
 *     ./tree fan N        one generation, N children
 *     ./tree binary N     N generations, two children each
 *
 * All three are one thing: so many children for everybody, and so many generations.
 */
#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { USAGE = 2 };

/* Waits until there is no child left to wait for. wait() tells of one child at a time, and of
 * whichever died first. */
static void wait_for_all_children(void) {
    while (wait(NULL) > 0 || errno == EINTR) {
    }
}

/* Makes the family of one process and waits for it; returns how many children that process has.
 *
 * fork() returns twice. The child goes down, to the next generation, and never comes back into this
 * loop: it would go on as if it were its own parent. */
static int raise_family(int children, int generations) {
    int born = 0;
    while (generations > 0 && born < children) {
        pid_t child = fork();
        if (child < 0) {
            warn("fork"); /* those who are there are waited for all the same */
            break;
        }
        if (child == 0) {
            _exit(raise_family(children, generations - 1));
        }
        born++;
    }
    wait_for_all_children();
    return born;
}

/* The number that a word says, or -1. */
static int number(const char *word) {
    char *end;
    errno = 0;
    long value = strtol(word, &end, 10);
    return *word == '\0' || *end != '\0' || errno != 0 || value < 0 || value > 255 ? -1
                                                                                   : (int)value;
}

int main(int argc, char *argv[]) {
    int n = argc == 3 ? number(argv[2]) : -1;
    if (n >= 0 && strcmp(argv[1], "chain") == 0) {
        return raise_family(1, n);
    }
    if (n >= 0 && strcmp(argv[1], "fan") == 0) {
        return raise_family(n, 1);
    }
    if (n >= 0 && strcmp(argv[1], "binary") == 0) {
        return raise_family(2, n);
    }
    errx(USAGE, "usage: tree chain N | fan N | binary N   (N from 0 to 255)");
}
