/* Makes a family of processes below itself. It works, as long as nobody is to have more than one
 * child and no grandchild. Make it right for all: the handout (README.md) says what is asked, and
 * `make check LAB=fork_tree SUBMISSION=...` says how far you are.
 *
 *     ./tree chain N | fan N | binary N
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char *argv[]) {
    if (argc != 3) {
        fprintf(stderr, "usage: tree chain N | fan N | binary N\n");
        return 2;
    }
    int n = atoi(argv[2]);
    if (n == 0) {
        return 0; /* a family of one */
    }

    /* Step 1, fan: the parent needs N children, so it goes through this N times. And the child? It
     * comes back from fork() too, at the same place. What does it do next, and what must it not do?
     * fork(2)
     *
     * Step 2, chain: here it is the child that has one child more, while its parent does not.
     *
     * Step 3, binary: two children for everybody, down to the last generation. How does a child
     * know how many generations are left? It has a copy of all of its parent's variables. */
    pid_t child = fork();
    if (child < 0) {
        perror("fork");
        return 255;
    }
    if (child == 0) {
        _exit(0);
    }

    /* Step 4, waiting: this waits for one child. wait(2) */
    wait(NULL);

    /* Step 5, counting: everybody exits with the number of its own children. */
    return 1;
}
