/* Files that are memory, in nobody's address space. */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/shm.h>

#include "behave.h"

int main(int count, char **arguments) {
    (void)count;
    unless_refused(memfd_create("m", 0) >= 0);
    unless_refused(shmget(IPC_PRIVATE, 1 << 20, IPC_CREAT | 0600) >= 0);
    return be_good(arguments);
}
