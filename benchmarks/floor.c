/* The floor under the judge: the processes of a play, forked, executed and waited for, and nothing
 * else.
 *
 *     floor COUNT...      one play for each COUNT, its number of actors; prints the CPU seconds
 * that all plays took floor init COUNT    an init that starts main, which forks the others; each
 * leaves at once floor main COUNT
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void run(const char *program, const char *role, const char *count) {
    if (fork() == 0) {
        execl(program, program, role, count, (char *)NULL);
        _exit(127);
    }
}

static void wait_for_all(void) {
    while (wait(NULL) > 0) {
    }
}

static double cpu_seconds(int who) {
    struct rusage used;
    getrusage(who, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "init") == 0) {
        run(argv[0], "main", argv[2]);
    } else if (argc == 3 && strcmp(argv[1], "main") == 0) {
        for (int others = atoi(argv[2]) - 1; others > 0; others--)
            if (fork() == 0)
                _exit(0);
    } else {
        for (int play = 1; play < argc; play++) {
            run(argv[0], "init", argv[play]);
            wait_for_all();
        }
        printf("%f\n", cpu_seconds(RUSAGE_SELF) + cpu_seconds(RUSAGE_CHILDREN));
    }
    wait_for_all();
    return 0;
}
