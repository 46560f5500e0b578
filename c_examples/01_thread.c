/* A thread shares memory and pid. See notebooks/01_what_a_process_is.ipynb. */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

int x = 1;

void *change(void *unused) {
    x = 5;
    printf("thread: x is %d, pid %d\n", x, getpid());
    return unused;
}

int main(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, change, NULL);
    pthread_join(thread, NULL);
    printf("main: x is %d, pid %d\n", x, getpid());
}
