/* Exhausts the process ids by threads. */
#include <pthread.h>

#include "behave.h"

static void *stay(void *nothing) {
    pause();
    return nothing;
}

int main(void) {
    pthread_attr_t small;
    pthread_t thread;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 65536);
    for (;;)
        pthread_create(&thread, &small, stay, NULL);
}
