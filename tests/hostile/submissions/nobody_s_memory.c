/* What belongs to no process: System V memory, messages and semaphores, POSIX queues, keys; its own
 * and others'. */
#include <fcntl.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>

#include "behave.h"

int main(int count, char **arguments) {
    (void)count;
    struct {
        long kind;
        char text[8];
    } message = {1, "flood"};
    unless_refused(shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600) >= 0);
    unless_refused(msgget(IPC_PRIVATE, IPC_CREAT | 0600) >= 0);
    unless_refused(semget(IPC_PRIVATE, 1, IPC_CREAT | 0600) >= 0);
    unless_refused(shmat(MEMORY, NULL, 0) != (void *)-1);
    unless_refused(shmctl(MEMORY, IPC_RMID, NULL) == 0);
    for (int id = 0; id < 100; id++) {
        unless_refused(msgsnd(id, &message, sizeof message.text, IPC_NOWAIT) == 0);
        unless_refused(msgctl(id, IPC_RMID, NULL) == 0);
        unless_refused(semctl(id, 0, IPC_RMID) == 0);
    }
    unless_refused(syscall(SYS_mq_open, "left", O_CREAT | O_RDWR, 0600, NULL) >= 0);
    unless_refused(syscall(SYS_mq_unlink, "left") == 0);
    unless_refused(syscall(SYS_add_key, "user", "left", "x", 1L, -4) >= 0);
    unless_refused(syscall(SYS_keyctl, 0, -4, 0) >= 0);
    return be_good(arguments);
}
