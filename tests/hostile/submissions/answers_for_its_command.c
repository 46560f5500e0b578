/* Has the system calls of its command reported to it, to answer them itself; or fences its command
 * in. */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "behave.h"

int main(int count, char **arguments) {
    (void)count;
    struct sock_filter report = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
    struct sock_fprog filter = {1, &report};
    struct {
        unsigned long files, network, scope;
    } fence = {.files = 1 << 2};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    unless_refused(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                           &filter) >= 0);
    unless_refused(syscall(444 /* landlock_create_ruleset */, &fence, 8, 0) >= 0);
    return be_good(arguments);
}
