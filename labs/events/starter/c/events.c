/* Starts jobs, and knows nothing of what becomes of them.
 *
 *     ./events FOLDER
 *
 * Job files are read by jobfiles.c, which is given, and so is what splits the lines that are typed.
 * The handout (README.md) says what is asked, and `make check LAB=events SUBMISSION=...` how far
 * you are.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "jobfiles.h"

struct job {
    struct job_file *file;
    const char *goal, *state;
    pid_t pid; /* 0: it has no process */
};

static struct job *jobs;
static size_t how_many;

static _Noreturn void become(char **command) {
    /* Part 3, processes: a session of its own, an input of its own, and the environment. */
    execvp(command[0], command);
    perror(command[0]);
    _exit(127); /* there must not be a second init */
}

static void start(struct job *job) {
    /* Part 2, states: starting, pre-start, spawned, running. In the first of them it emits an event
     * and waits until that is finished, in the second it waits for a process. So this cannot be one
     * function that runs through: each state ends when something happens. */
    printf("%s starting\n", job->file->name);
    job->pid = fork();
    if (job->pid == 0) {
        become(job->file->command);
    }
    job->goal = "start";
    job->state = "running";
    printf("%s started\n", job->file->name);
}

static void stop(struct job *job) {
    /* Part 2, states: stopping, killed, and waiting again. Part 4: who does not listen? */
    if (job->pid == 0) {
        return; /* and kill(0, ...) is for all of your own group */
    }
    printf("%s stopping\n", job->file->name);
    kill(job->pid, SIGTERM);
    waitpid(job->pid, NULL, 0); /* and who takes a minute for it holds up everybody */
    job->goal = "stop";
    job->state = "waiting";
    job->pid = 0;
    printf("%s stopped\n", job->file->name);
}

/* Part 1, events: a queue of them, since a job that starts emits some, too. And conditions of
 * several, which have to remember what has come: BOTH, EITHER. */
static void emit(const char *name, char **variables) {
    for (struct job *job = jobs; job < jobs + how_many; job++) {
        struct condition *condition = job->file->start_on;
        if (condition != NULL && condition->kind == MATCH && fits(condition, name, variables)) {
            start(job);
        }
    }
}

static void tell(const struct job *job) {
    printf("%s %s/%s", job->file->name, job->goal, job->state);
    if (job->pid != 0) {
        printf(", process %d", (int)job->pid);
    }
    printf("\n");
}

static void obey(char *line) {
    char *words[MOST_WORDS] = {NULL};
    size_t count = 0;
    for (char *word = strtok(line, " \t\n"); word != NULL && count < MOST_WORDS - 1;
         word = strtok(NULL, " \t\n")) {
        words[count++] = word;
    }
    if (count >= 2 && strcmp(words[0], "emit") == 0) {
        emit(words[1], words + 2);
        printf("%s finished\n", words[1]); /* is it? */
        return;
    }
    for (struct job *job = jobs; count > 0 && job < jobs + how_many; job++) {
        if (count == 1 && strcmp(words[0], "status") == 0) {
            tell(job);
        } else if (count == 2 && strcmp(words[1], job->file->name) == 0) {
            if (strcmp(words[0], "status") == 0) {
                tell(job);
            } else if (strcmp(words[0], "start") == 0) {
                start(job);
            } else if (strcmp(words[0], "stop") == 0) {
                stop(job);
            }
            return;
        }
    }
    if (count == 2) {
        fprintf(stderr, "events: %s: unknown job\n", words[1]);
    }
}

int main(int argc, char *argv[]) {
    if (argc != 2) {
        fprintf(stderr, "usage: events FOLDER\n");
        return 1;
    }
    setvbuf(stdout, NULL, _IOLBF, 0); /* each line is written as soon as it is complete */
    struct job_file *files = read_folder(argv[1], &how_many);
    jobs = calloc(how_many + 1, sizeof *jobs);
    for (size_t i = 0; jobs != NULL && i < how_many; i++) {
        jobs[i] = (struct job){.file = &files[i], .goal = "stop", .state = "waiting"};
    }
    char *none[] = {NULL};
    emit("startup", none);

    /* Part 3, processes: here you wait for a line, and jobs end meanwhile. You wait for two things
     * at once; for three, when somebody has to be killed. And fgets() reads more than it hands out.
     * ppoll(2), read(2) */
    char line[4096];
    while (fgets(line, sizeof line, stdin) != NULL) {
        obey(line);
    }
    /* Part 5, the end: `shutdown`, and those who still run. */
    return 0;
}
