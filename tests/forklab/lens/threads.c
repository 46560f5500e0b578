/* A child with three threads, of which one ends them all: threads WHO HOW OTHERS. The parent prints
 * its status. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static char *how, *others;
static int pipe_ends[2];

static void end_all(void) {
    sleep(1);
    switch (how[0]) {
    case 'e':
        exit(5);
    case 'a':
        abort();
    case 's':
        *(volatile int *)0 = 1;
        break;
    case 't':
        kill(getpid(), SIGTERM);
        break;
    case 'k':
        kill(getpid(), SIGKILL);
        break;
    case 'x':
        execlp("sh", "sh", "-c", "exit 7", NULL);
        break;
    case 'p':
        pthread_exit(NULL);
    }
}

static void stay(void) {
    char letter;
    switch (others[0]) {
    case 's':
        sleep(10);
        break;
    case 'p':
        pause();
        break;
    case 'r':
        read(pipe_ends[0], &letter, 1);
        break;
    case 'y':
        for (int i = 0; i < 5; i++)
            sleep(1);
    }
}

static void *in_thread(void *ends) {
    ends ? end_all() : stay();
    return NULL;
}

int main(int argc, char **argv) {
    int main_ends = argv[1][0] == 'm', status;
    how = argv[2], others = argv[argc - 1];
    pipe(pipe_ends);
    if (fork() == 0) {
        pthread_t thread;
        pthread_create(&thread, NULL, in_thread, NULL);
        pthread_create(&thread, NULL, in_thread, main_ends ? NULL : "ends");
        main_ends ? end_all() : stay();
        pthread_exit(NULL);
    }
    wait(&status);
    printf("%#x\n", status);
    return 0;
}
