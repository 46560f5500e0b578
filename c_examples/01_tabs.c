/* Three tabs, one crash. See notebooks/01_what_a_process_is.ipynb. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    for (int tab = 1; tab <= 3; tab++)
        if (fork() == 0) {
            sleep(10);
            if (tab == 2)
                *(volatile int *)0 = 1; /* a crash */
            sleep(10);
            printf("tab %d shows its page\n", tab);
            return 0;
        }
    while (wait(NULL) > 0)
        continue;
    printf("the browser is still here\n");
}
