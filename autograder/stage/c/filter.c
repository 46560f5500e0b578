/* See filter.h. */
#define _GNU_SOURCE
#include "filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined __x86_64__
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

/* Reading and steering other processes, memory and messages that no process has, and whatever makes
 * or joins namespaces: an exploit of the kernel's would begin there. */
static const int forbidden[] = {
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_pidfd_getfd,
    SYS_keyctl,
    SYS_add_key,
    SYS_request_key,
    SYS_io_uring_setup,
    SYS_unshare,
    SYS_setns,
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_open_tree,
    SYS_move_mount,
    SYS_fsopen,
    SYS_fspick,
    SYS_userfaultfd,
    SYS_bpf,
    SYS_memfd_create,
    SYS_shmget,
    SYS_semget,
    SYS_msgget,
    SYS_mq_open,
    SYS_fanotify_init,
    SYS_syslog,
    SYS_perf_event_open,
    SYS_name_to_handle_at,
#ifdef SYS_memfd_secret
    SYS_memfd_secret,
#endif
#ifdef SYS_mount_setattr
    SYS_mount_setattr,
#endif
};

int can_filter(void) {
#ifdef ARCHITECTURE
    uint32_t action = SECCOMP_RET_ERRNO;
    return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
#else
    return 0;
#endif
}

int filter_calls(void) {
#ifdef ARCHITECTURE
    enum { NEW_NAMESPACES = 0x7E020000, X32 = 0x40000000 };
    struct sock_filter program[2 * sizeof forbidden / sizeof *forbidden + 32];
    struct sock_fprog filter = {0, program};
#define ADD(...) program[filter.len++] = (struct sock_filter)__VA_ARGS__
#define LOAD(field)                                                                                \
    ADD(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offsetof(struct seccomp_data, field)))
#define IF(test, value, count)                                                                     \
    ADD(BPF_JUMP(BPF_JMP | (test) | BPF_K, (uint32_t)(value), 0, (count))) /* else skip so many */
#define FAIL(number) ADD(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (number)))
#define ALLOW() ADD(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW))
    LOAD(arch);
    ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0));
    FAIL(ENOSYS); /* the numbers of another architecture mean other calls */
    LOAD(nr);
    IF(BPF_JGE, X32, 1);
    FAIL(ENOSYS);
    for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++) {
        IF(BPF_JEQ, forbidden[i], 1);
        FAIL(EPERM);
    }
    IF(BPF_JEQ, SYS_clone3, 1); /* its flags are in memory; the C library then takes clone(2) */
    FAIL(ENOSYS);
    IF(BPF_JEQ, SYS_clone, 4);
    LOAD(args[0]);
    IF(BPF_JSET, NEW_NAMESPACES, 1);
    FAIL(EPERM);
    ALLOW();
    IF(BPF_JEQ, SYS_socket, 4);
    LOAD(args[0]);
    ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_UNIX, 1, 0));
    FAIL(EACCES);
    ALLOW();
    ALLOW();
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
#else
    return 0;
#endif
}
