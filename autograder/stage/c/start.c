/* See start.h. */
#define _GNU_SOURCE
#include "start.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NICEST = 19 };

/* What follows `word` and a blank, if the setting begins so; else NULL. */
static const char *after(const char *setting, const char *word) {
    size_t length = strlen(word);
    return strncmp(setting, word, length) == 0 && setting[length] == ' ' ? setting + length + 1
                                                                         : NULL;
}

const char *setting(char *const *settings, const char *word) {
    for (; *settings != NULL; settings++)
        if (after(*settings, word) != NULL)
            return after(*settings, word);
    return NULL;
}

/* A variable that is there already gets its new value. */
static void set_variable(const char *variable, char **environment, size_t most) {
    size_t name = strcspn(variable, "=") + 1, count = 0;
    while (environment[count] != NULL && strncmp(environment[count], variable, name) != 0)
        count++;
    if (count + 1 < most)
        environment[count] = (char *)variable;
}

/* Relative to our own: who may not be less nice than it is can still be nicer. */
static int become_nicer(int by) {
    int value = getpriority(PRIO_PROCESS, 0) + by;
    return setpriority(PRIO_PROCESS, 0, value < NICEST ? value : NICEST);
}

int set_surroundings(char *const *settings, char **environment, size_t most) {
    const char *value;
    int failed = 0;
    for (; *settings != NULL; settings++) {
        if ((value = after(*settings, "in")) != NULL)
            failed |= chdir(value);
        else if ((value = after(*settings, "set")) != NULL)
            set_variable(value, environment, most);
        else if ((value = after(*settings, "umask")) != NULL)
            umask((mode_t)strtol(value, NULL, 8));
        else if ((value = after(*settings, "nice")) != NULL)
            failed |= become_nicer(atoi(value));
    }
    return failed;
}

static void block(int number) {
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, number);
    sigprocmask(SIG_BLOCK, &only, NULL);
}

void set_descriptors_and_signals(char *const *settings) {
    const char *value;
    for (; *settings != NULL; settings++) {
        if ((value = after(*settings, "close")) != NULL)
            close(atoi(value));
        else if ((value = after(*settings, "ignore")) != NULL)
            signal(atoi(value), SIG_IGN);
        else if ((value = after(*settings, "block")) != NULL)
            block(atoi(value));
        else if ((value = after(*settings, "pend")) != NULL) {
            block(atoi(value)); /* first: a blocked signal is kept even for a PID 1 */
            kill(getpid(), atoi(value));
        }
    }
}
