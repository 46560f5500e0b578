/* A small shell with job control.
 *
 *     ./sh1
 *
 * Each command is a job: a process in a group of its own. The terminal belongs to one group at a
 * time, the foreground; only that one may read from it, and ^C and ^Z reach that one alone.
 *
 * Children are collected in one place, `collect`, which is called, never run by a signal: SIGCHLD
 * is blocked but in ppoll(2), where we wait for a line. So the table of jobs changes only where we
 * change it, and a job that ends at once is in it before anybody looks for it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum { CANNOT_EXECUTE = 126, NOT_FOUND = 127 };
enum state { FREE, RUNNING, STOPPED, ENDED };

struct job {
    enum state state;
    pid_t pid; /* the number of its group, too */
    int wait_status;
    bool news; /* something that has not been told before a prompt */
    char *command;
};

static struct job *jobs; /* job J is jobs[J - 1] */
static int job_count;

/* What signals a terminal sends to its foreground, or to who is not in it. They are for jobs. */
static const int of_the_terminal[] = {SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU};
enum { OF_THE_TERMINAL = sizeof of_the_terminal / sizeof of_the_terminal[0] };

static bool interactive; /* standard input is a terminal */
static struct termios modes;
static sigset_t inherited;

static void set_dispositions(void (*disposition)(int)) {
    for (int i = 0; i < OF_THE_TERMINAL; i++) {
        signal(of_the_terminal[i], disposition);
    }
}

static void put_into_foreground(pid_t group) {
    if (interactive) {
        tcsetpgrp(STDIN_FILENO, group); /* SIGTTOU is ignored: else who is not there may not ask */
    }
}

/* Jobs. */

static struct job *new_job(const char *command) {
    int at = 0;
    while (at < job_count && jobs[at].state != FREE) {
        at++;
    }
    if (at == job_count) {
        jobs = realloc(jobs, (size_t)++job_count * sizeof *jobs);
    }
    jobs[at] = (struct job){.command = strdup(command)};
    return &jobs[at];
}

static void forget(struct job *job) {
    free(job->command);
    *job = (struct job){.state = FREE};
}

static int number_of(const struct job *job) {
    return (int)(job - jobs) + 1;
}

/* Hears what has become of children: with WNOHANG of all of whom there is news, else of the next
 * one. */
static void collect(int options) {
    int wait_status;
    pid_t pid;
    while ((pid = waitpid(-1, &wait_status, options | WUNTRACED | WCONTINUED)) > 0) {
        for (struct job *job = jobs; job < jobs + job_count; job++) {
            if (job->pid != pid || job->state == FREE || job->state == ENDED) {
                continue;
            }
            job->state = WIFCONTINUED(wait_status) ? RUNNING
                         : WIFSTOPPED(wait_status) ? STOPPED
                                                   : ENDED;
            job->wait_status = wait_status;
            job->news = job->state != RUNNING;
        }
        if (!(options & WNOHANG)) {
            return;
        }
    }
}

/* Waits until the job in the foreground has ended or stopped, and takes the terminal back. */
static void wait_for(struct job *job) {
    while (job->state == RUNNING) {
        collect(0);
    }
    put_into_foreground(getpgrp());
    if (interactive) {
        tcsetattr(STDIN_FILENO, TCSADRAIN, &modes); /* whatever the job did to them */
    }
    if (job->state == ENDED && WIFEXITED(job->wait_status)) {
        forget(job); /* it was waited for: that it is done is no news */
    }
}

static void tell_the_news(void) {
    for (struct job *job = jobs; job < jobs + job_count; job++) {
        if (!job->news) {
            continue;
        }
        job->news = false;
        if (job->state == STOPPED) {
            printf("[%d] stopped %s\n", number_of(job), job->command);
        } else if (WIFSIGNALED(job->wait_status)) {
            const char *name = sigabbrev_np(WTERMSIG(job->wait_status));
            printf("[%d] killed by SIG%s %s\n", number_of(job), name ? name : "?", job->command);
        } else {
            printf("[%d] done %s\n", number_of(job), job->command);
        }
        if (job->state == ENDED) {
            forget(job);
        }
    }
}

/* Commands. */

static _Noreturn void become(char *words[], bool foreground) {
    setpgid(0, 0);
    if (foreground) {
        put_into_foreground(getpid());
    }
    if (interactive) {
        set_dispositions(SIG_DFL); /* ignored signals would stay ignored, and so does the mask */
    }
    signal(SIGCHLD, SIG_DFL);
    sigprocmask(SIG_SETMASK, &inherited, NULL);
    execvp(words[0], words);
    int status = errno == ENOENT || errno == ENOTDIR ? NOT_FOUND : CANNOT_EXECUTE;
    fprintf(stderr, "sh1: %s: %s\n", words[0], strerror(errno));
    _exit(status);
}

static void start(char *words[], const char *command, bool foreground) {
    fflush(stdout); /* what waits in the buffer is copied by fork */
    pid_t pid = fork();
    if (pid < 0) {
        perror("sh1: fork");
        return;
    }
    if (pid == 0) {
        become(words, foreground);
    }
    /* The child does both too: whoever comes first, it is done before the command runs, and before
     * we signal the group or wait. */
    setpgid(pid, pid);
    struct job *job = new_job(command);
    job->pid = pid;
    job->state = RUNNING;
    if (foreground) {
        put_into_foreground(pid);
        wait_for(job);
    } else {
        printf("[%d] %d\n", number_of(job), (int)pid);
    }
}

static void list_jobs(void) {
    for (struct job *job = jobs; job < jobs + job_count; job++) {
        if (job->state == RUNNING || job->state == STOPPED) {
            printf("[%d] %s %s\n", number_of(job), job->state == RUNNING ? "running" : "stopped",
                   job->command);
            job->news = false;
        }
    }
}

/* fg %J and bg %J. */
static void carry_on(char *words[]) {
    bool foreground = strcmp(words[0], "fg") == 0;
    int number = words[1] != NULL && words[1][0] == '%' ? atoi(words[1] + 1) : 0;
    struct job *job = number >= 1 && number <= job_count ? &jobs[number - 1] : NULL;
    if (job == NULL || (job->state != RUNNING && job->state != STOPPED)) {
        fprintf(stderr, "sh1: %s: no such job\n", words[0]);
        return;
    }
    /* First the terminal, then the signal: it may read at once. */
    if (foreground) {
        put_into_foreground(job->pid);
    }
    job->state = RUNNING;
    job->news = false;
    kill(-job->pid, SIGCONT);
    if (foreground) {
        wait_for(job);
    }
}

static void obey(char *line) {
    char *words[strlen(line) / 2 + 2];
    char command[strlen(line) + 1];
    int count = 0;
    bool foreground = true;
    command[0] = '\0';
    for (char *word = strtok(line, " \t\n"); word != NULL; word = strtok(NULL, " \t\n")) {
        words[count++] = word;
    }
    if (count > 0 && words[count - 1][strlen(words[count - 1]) - 1] == '&') {
        foreground = false;
        words[count - 1][strlen(words[count - 1]) - 1] = '\0';
        count -= words[count - 1][0] == '\0'; /* it stood alone */
    }
    words[count] = NULL;
    for (int i = 0; i < count; i++) {
        strcat(strcat(command, i > 0 ? " " : ""), words[i]);
    }

    if (count == 0) {
        return;
    }
    collect(WNOHANG);
    if (strcmp(words[0], "quit") == 0) {
        exit(EXIT_SUCCESS);
    } else if (strcmp(words[0], "jobs") == 0) {
        list_jobs();
    } else if (strcmp(words[0], "fg") == 0 || strcmp(words[0], "bg") == 0) {
        carry_on(words);
    } else {
        start(words, command, foreground);
    }
}

/* Lines. */

/* Waits for a byte of input, and collects children meanwhile. Byte by byte: what is behind the line
 * may be meant for the command. Returns false at the end of the file. */
static bool next_byte(char *byte) {
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    while (ppoll(&input, 1, NULL, &inherited) < 0) { /* here, and only here, SIGCHLD comes */
        collect(WNOHANG);
    }
    return read(STDIN_FILENO, byte, 1) == 1;
}

/* A line, to be freed; or NULL at the end of the file. */
static char *next_line(void) {
    size_t length = 0;
    char *line = NULL;
    char byte;
    while (next_byte(&byte)) {
        line = realloc(line, length + 2);
        line[length++] = byte;
        line[length] = '\0';
        if (byte == '\n') {
            return line;
        }
    }
    return line; /* the last one may lack its newline */
}

static void on_sigchld(int number) {
    (void)number; /* that ppoll() is interrupted is all we want */
}

static pid_t foreground_before;

static void give_back(void) {
    put_into_foreground(foreground_before);
}

/* Stands in the foreground of its terminal, in a group of its own. */
static void take_terminal(void) {
    /* Started in the background by another shell, we stop until that one brings us forward. If
     * nobody is there who could, we do not even stop. */
    for (int tries = 0; (foreground_before = tcgetpgrp(STDIN_FILENO)) != getpgrp(); tries++) {
        if (foreground_before < 0 || tries == 16) {
            fprintf(stderr, "sh1: the terminal is somebody else's\n");
            exit(EXIT_FAILURE);
        }
        kill(0, SIGTTIN);
    }
    set_dispositions(SIG_IGN);
    setpgid(0, 0);
    put_into_foreground(getpgrp());
    tcgetattr(STDIN_FILENO, &modes);
    atexit(give_back);
}

int main(void) {
    sigset_t sigchld;
    sigemptyset(&sigchld);
    sigaddset(&sigchld, SIGCHLD);
    sigprocmask(SIG_BLOCK, &sigchld, &inherited);
    sigdelset(&inherited, SIGCHLD);
    signal(SIGCHLD, on_sigchld);

    interactive = isatty(STDIN_FILENO);
    if (interactive) {
        take_terminal();
    }
    for (;;) {
        collect(WNOHANG);
        tell_the_news();
        if (interactive) {
            printf("sh1> ");
        }
        fflush(stdout);
        char *line = next_line();
        if (line == NULL) {
            return EXIT_SUCCESS;
        }
        obey(line);
        free(line);
    }
}
