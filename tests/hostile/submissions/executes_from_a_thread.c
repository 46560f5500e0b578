/* A second thread executes the program anew while the first one ends and others sleep. */
#include <pthread.h>

#include "behave.h"

static char **command, *program;

static void *again(void *nothing) {
    command[0] = (char *)"again";
    execv(program, command);
    return nothing;
}

static void *stay(void *nothing) {
    pause();
    return nothing;
}

int main(int count, char **arguments) {
    pthread_t thread;
    (void)count;
    command = arguments;
    program = arguments[0];
    if (strcmp(arguments[0], "again") == 0)
        return be_good(arguments);
    for (int i = 0; i < 3; i++)
        pthread_create(&thread, NULL, stay, NULL);
    pthread_create(&thread, NULL, again, NULL);
    pthread_exit(NULL);
}
