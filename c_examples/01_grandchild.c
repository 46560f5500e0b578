/* A child's child is no child. See notebooks/01_what_a_process_is.ipynb. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    printf("I am %d, my parent is %d\n", getpid(), getppid());
    if (fork() == 0) {
        printf("I am %d, my parent is %d\n", getpid(), getppid());
        if (fork() == 0)
            printf("I am %d, my parent is %d\n", getpid(), getppid());
    }
    wait(NULL); /* stay until your child has ended, if you have one */
}
