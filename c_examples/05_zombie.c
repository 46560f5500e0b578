/* A child that ends while its parent sleeps is a zombie. See notebooks/05_zombies.ipynb. */
#include <unistd.h>

int main(void) {
    if (fork() == 0) {
        sleep(10); /* the child */
        return 123;
    }
    sleep(100); /* the parent */
}
