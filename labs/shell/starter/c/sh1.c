/* A shell that can do one thing at a time, and dies of ^C. Make it one with jobs: the handout
 * (README.md) says what is asked, and `make check LAB=shell SUBMISSION=...` how far you are.
 *
 *     ./sh1
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void become(char *words[]) {
    /* Part 2, groups: a job is a process group of its own, and one in the foreground has the
     * terminal. setpgid(2), tcsetpgrp(3)
     *
     * Part 3, signals: what the shell ignores or blocks, its commands must not. signal(7) */
    execvp(words[0], words);
    fprintf(stderr, "sh1: %s: %s\n", words[0], strerror(errno));
    _exit(errno == ENOENT ? 127 : 126);
}

static void start(char *words[], bool foreground) {
    (void)foreground;
    fflush(stdout); /* what waits in the buffer is copied by fork */
    pid_t pid = fork();
    if (pid < 0) {
        perror("sh1: fork");
        return;
    }
    if (pid == 0) {
        become(words);
    }
    /* Part 1, jobs: who does not wait for a job must remember it. When can it have ended at the
     * earliest, and is it in your table by then?
     *
     * Part 2, groups: does the group exist already, or must you make sure of it, too? And whose is
     * the terminal when the job has ended, or stopped? wait(2): WUNTRACED */
    waitpid(pid, NULL, 0);
}

static void obey(char *line) {
    char *words[strlen(line) / 2 + 2];
    int count = 0;
    for (char *word = strtok(line, " \t\n"); word != NULL; word = strtok(NULL, " \t\n")) {
        words[count++] = word;
    }
    bool foreground = true;
    if (count > 0 && strcmp(words[count - 1], "&") == 0) {
        foreground = false;
        count--;
    }
    words[count] = NULL;
    if (count == 0) {
        return;
    }
    if (strcmp(words[0], "quit") == 0) {
        exit(EXIT_SUCCESS);
    }
    /* Part 1, jobs: `jobs`. Part 2, groups: `fg %J` and `bg %J`. */
    start(words, foreground);
}

int main(void) {
    /* Part 3, signals: at a terminal, ^C and ^Z are for the job in the foreground, never for you.
     * And when you take the terminal back, you are in the background for a moment: SIGTTOU. */
    char *line = NULL;
    size_t size = 0;
    for (;;) {
        /* Part 1, jobs: tell here which jobs have ended. */
        if (isatty(STDIN_FILENO)) {
            printf("sh1> ");
        }
        fflush(stdout);
        /* Part 4, at rest: here you wait for hours, and jobs end meanwhile. Who collects them? You
         * wait for two things at once. ppoll(2), signal-safety(7) */
        if (getline(&line, &size, stdin) < 0) {
            return EXIT_SUCCESS;
        }
        obey(line);
    }
}
