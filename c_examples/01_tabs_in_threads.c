/* A crash in one thread ends all. See notebooks/01_what_a_process_is.ipynb. */
#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

void *tab(void *number) {
    sleep(10);
    if (number == (void *)2)
        *(volatile int *)0 = 1; /* a crash */
    sleep(10);
    printf("tab %ld shows its page\n", (long)number);
    return NULL;
}

int main(void) {
    if (fork() == 0) { /* the browser */
        pthread_t threads[3];
        for (long i = 0; i < 3; i++)
            pthread_create(&threads[i], NULL, tab, (void *)(i + 1));
        for (int i = 0; i < 3; i++)
            pthread_join(threads[i], NULL);
        return 0;
    }
    wait(NULL);
    printf("the browser is gone\n");
}
