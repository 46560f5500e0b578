/* Writes over the pages from which it reads the time, whoever has laid them there. */
#include <sys/auxv.h>
#include <sys/mman.h>
#include <time.h>

#include "behave.h"

int main(int count, char **arguments) {
    (void)count;
    char line[512];
    unsigned long from, to;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (fgets(line, sizeof line, maps) != NULL)
        if (strstr(line, "[v") != NULL && strstr(line, "[vsyscall]") == NULL &&
            sscanf(line, "%lx-%lx", &from, &to) == 2 &&
            mprotect((void *)from, to - from, PROT_READ | PROT_WRITE) == 0)
            memset((void *)from, 0x7f, to - from);
    pid_t child = fork();
    if (child == 0) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now); /* dies of it, if it likes */
        _exit(0);
    }
    waitpid(child, NULL, 0);
    return be_good(arguments);
}
