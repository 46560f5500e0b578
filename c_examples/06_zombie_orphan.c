/* A zombie that loses its parent is adopted and reaped. See notebooks/06_orphans.ipynb. */
#include <unistd.h>

int main(void) {
    if (fork() == 0) {
        if (fork() == 0)
            return 123; /* P.1.1 */
        sleep(50);
        return 0; /* P.1 */
    }
    sleep(100); /* P */
}
