/* Leaves descriptors open and signals ignored, and has a filter tell its command that they are not.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "behave.h"

#define UNLESS(value, count) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (count))
#define ANSWER(error) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (error))

int main(int count, char **arguments) {
    (void)count;
    struct sock_filter lies[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        UNLESS(SYS_fcntl, 1),
        ANSWER(EBADF),
        UNLESS(SYS_rt_sigaction, 1),
        ANSWER(EINVAL),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {sizeof lies / sizeof *lies, lies};
    dup2(1, 7);
    signal(SIGUSR1, SIG_IGN);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    unless_refused(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0);
    unless_refused(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) == 0);
    return be_good(arguments);
}
