/* See filter.h. */
#define _GNU_SOURCE
#include "filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "architecture.h"
#include "cue.h"

/* Numbers that the headers of an older system lack. They are the same everywhere. */
enum {
    LANDLOCK_CREATE_RULESET = 444,
    LANDLOCK_ADD_RULE = 445,
    LANDLOCK_RESTRICT_SELF = 446,
    MEMFD_SECRET = 447,
    PROCESS_MRELEASE = 448,
    MOUNT_SETATTR = 442,
    PROCESS_MADVISE = 440,
};

static const int forbidden[] = {
    /* Reading and steering other processes. */
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_pidfd_getfd,
    SYS_kcmp,
    SYS_move_pages,
    SYS_migrate_pages,
    PROCESS_MADVISE,
    PROCESS_MRELEASE,
    SYS_perf_event_open,
    /* Filters and fences of one's own: whoever is born behind one is lied to, or cannot do what the
     * play asks of it. */
    SYS_seccomp,
    LANDLOCK_CREATE_RULESET,
    LANDLOCK_ADD_RULE,
    LANDLOCK_RESTRICT_SELF,
    /* What no process owns, outlives a play, and is everybody's: memory, messages, semaphores,
     * keys. What others have made of it is reached by guessing a number. */
    SYS_shmget,
    SYS_shmat,
    SYS_shmctl,
    SYS_semget,
    SYS_semop,
    SYS_semtimedop,
    SYS_semctl,
    SYS_msgget,
    SYS_msgsnd,
    SYS_msgrcv,
    SYS_msgctl,
    SYS_mq_open,
    SYS_mq_unlink,
    SYS_keyctl,
    SYS_add_key,
    SYS_request_key,
    /* Memory that the census does not see, and instances of which an account has few. */
    SYS_memfd_create,
    MEMFD_SECRET,
    SYS_inotify_init1,
    SYS_fanotify_init,
#ifdef SYS_inotify_init
    SYS_inotify_init,
#endif
    /* Namespaces, mounts, and others where an exploit of the kernel's would begin. */
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
    MOUNT_SETATTR,
    SYS_name_to_handle_at,
    SYS_open_by_handle_at,
    SYS_io_uring_setup,
    SYS_userfaultfd,
    SYS_bpf,
    SYS_syslog,
};

/* What is forbidden with some arguments: if this argument, masked, is (or is not) this value. */
struct refusal {
    int call;
    int argument;
    int mask; /* of its lower 32 bits: ids, commands and flags have no more */
    enum { REFUSE_IF, REFUSE_UNLESS } when;
    uint32_t value;
    int place; /* refused only there; 0: everywhere */
};

enum {
    ALL = -1,
    NEW_NAMESPACES = 0x7e020000, /* CLONE_NEW*, whose lowest is CLONE_NEWNS */
    UNTRACED = 0x00800000,       /* CLONE_UNTRACED: whoever traces the parent learns of no child */
    KIND_OF_SOCKET = 0xf,
    IO_OF_USER = 3,  /* IOPRIO_WHO_USER */
    SCHED_CORE = 62, /* PR_SCHED_CORE */
};

static const struct refusal refusals[] = {
    {SYS_prctl, 0, ALL, REFUSE_IF, PR_SET_SECCOMP, 0},
    {SYS_prctl, 0, ALL, REFUSE_IF, SCHED_CORE, 0},
    /* Limits and priorities: one's own alone. Everybody of the account would be in reach. */
    {SYS_sched_setparam, 0, ALL, REFUSE_UNLESS, 0, 0},
    {SYS_sched_setscheduler, 0, ALL, REFUSE_UNLESS, 0, 0},
    {SYS_sched_setattr, 0, ALL, REFUSE_UNLESS, 0, 0},
    {SYS_sched_setaffinity, 0, ALL, REFUSE_UNLESS, 0, 0},
    {SYS_setpriority, 0, ALL, REFUSE_IF, PRIO_USER, 0},
    {SYS_setpriority, 1, ALL, REFUSE_UNLESS, 0, 0},
    {SYS_ioprio_set, 0, ALL, REFUSE_IF, IO_OF_USER, 0},
    {SYS_ioprio_set, 1, ALL, REFUSE_UNLESS, 0, 0},
    /* Signals that a descriptor sends to whom one likes. */
    {SYS_fcntl, 1, ALL, REFUSE_IF, F_SETOWN, 0},
    {SYS_fcntl, 1, ALL, REFUSE_IF, F_SETOWN_EX, 0},
    {SYS_ioctl, 1, ALL, REFUSE_IF, FIOSETOWN, 0},
    {SYS_ioctl, 1, ALL, REFUSE_IF, SIOCSPGRP, 0},
    /* Typing into a terminal, or into the console. */
    {SYS_ioctl, 1, ALL, REFUSE_IF, TIOCSTI, 0},
    {SYS_ioctl, 1, ALL, REFUSE_IF, TIOCLINUX, 0},
    {SYS_clone, 0, NEW_NAMESPACES | UNTRACED, REFUSE_UNLESS, 0, 0},
    {SYS_socket, 0, ALL, REFUSE_UNLESS, AF_UNIX, 0},
    /* A datagram names whom it is for; that is in memory, where no filter sees it. SOCK_RAW is one
     * too. What is bound could take the place of somebody else's abstract name. */
    {SYS_socket, 1, KIND_OF_SOCKET, REFUSE_IF, SOCK_DGRAM, AMONG_OTHERS},
    {SYS_socket, 1, KIND_OF_SOCKET, REFUSE_IF, SOCK_RAW, AMONG_OTHERS},
    {SYS_socketpair, 1, KIND_OF_SOCKET, REFUSE_IF, SOCK_DGRAM, AMONG_OTHERS},
    {SYS_socketpair, 1, KIND_OF_SOCKET, REFUSE_IF, SOCK_RAW, AMONG_OTHERS},
    {SYS_bind, 0, 0, REFUSE_IF, 0, AMONG_OTHERS},
    {SYS_connect, 0, 0, REFUSE_IF, 0, NO_ACTORS},
    {SYS_kill, 0, ALL, REFUSE_IF, (uint32_t)-1, NOT_FENCED},
};

enum {
    FORBIDDEN = sizeof forbidden / sizeof *forbidden,
    REFUSALS = sizeof refusals / sizeof *refusals,
};

#ifdef ARCHITECTURE

#define FIELD(name) (uint32_t)offsetof(struct seccomp_data, name)
#define LOWER_HALF(argument)                                                                       \
    (FIELD(args) + 8 * (uint32_t)(argument)) /* little-endian, both of them */

struct program {
    struct sock_filter code[2 * FORBIDDEN + 6 * REFUSALS + 32];
    unsigned short length;
};

static void add(struct program *program, uint16_t code, uint32_t value, int otherwise) {
    program->code[program->length++] =
        (struct sock_filter){code, 0, (uint8_t)otherwise, value}; /* else skip so many */
}

static void load(struct program *program, uint32_t where) {
    add(program, BPF_LD | BPF_W | BPF_ABS, where, 0);
}

static void unless_equal_skip(struct program *program, uint32_t value, int instructions) {
    add(program, BPF_JMP | BPF_JEQ | BPF_K, value, instructions);
}

static void answer(struct program *program, uint32_t action) {
    add(program, BPF_RET | BPF_K, action, 0);
}

static void add_refusal(struct program *program, const struct refusal *refusal) {
    int inverted = refusal->when == REFUSE_UNLESS;
    load(program, FIELD(nr));
    unless_equal_skip(program, (uint32_t)refusal->call, 4 + inverted);
    load(program, LOWER_HALF(refusal->argument));
    add(program, BPF_ALU | BPF_AND | BPF_K, (uint32_t)refusal->mask, 0);
    unless_equal_skip(program, refusal->value, 1);
    if (inverted) /* equal: on to the next refusal */
        add(program, BPF_JMP | BPF_JA, 1, 0);
    answer(program, SECCOMP_RET_ERRNO | (refusal->place & AMONG_OTHERS ? EACCES : EPERM));
}

static void write_program(struct program *program, int place) {
    load(program, FIELD(arch));
    add(program, BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1);
    add(program, BPF_JMP | BPF_JA, 1, 0);
    answer(program, SECCOMP_RET_ERRNO | ENOSYS); /* other architectures' numbers mean other calls */
    load(program, FIELD(nr));
    add(program, BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 1); /* x32 */
    answer(program, SECCOMP_RET_ERRNO | ENOSYS);
    for (size_t i = 0; i < FORBIDDEN; i++) {
        unless_equal_skip(program, (uint32_t)forbidden[i], 1);
        answer(program, SECCOMP_RET_ERRNO | EPERM);
    }
    /* Its flags are in memory; the C library then takes clone(2). */
    unless_equal_skip(program, SYS_clone3, 1);
    answer(program, SECCOMP_RET_ERRNO | ENOSYS);
    for (size_t i = 0; i < REFUSALS; i++)
        if (refusals[i].place == 0 || refusals[i].place & place)
            add_refusal(program, &refusals[i]);
    load(program, FIELD(nr));
    load(program, FIELD(nr));
    /* Limits of others may be read, not set: there is a pid, and a pointer to new ones. */
    unless_equal_skip(program, SYS_prlimit64, 9);
    load(program, LOWER_HALF(0));
    unless_equal_skip(program, 0, 1);
    answer(program, SECCOMP_RET_ALLOW);
    load(program, LOWER_HALF(2));
    unless_equal_skip(program, 0, 3);
    load(program, LOWER_HALF(2) + 4);
    unless_equal_skip(program, 0, 1);
    answer(program, SECCOMP_RET_ALLOW);
    answer(program, SECCOMP_RET_ERRNO | EPERM);
    answer(program, SECCOMP_RET_ALLOW);
}

int filter_calls(int place) {
    struct program program = {.length = 0};
    write_program(&program, place);
    struct sock_fprog filter = {program.length, program.code};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

int report_to_tracer(const char *file) {
    static struct sock_filter code[BPF_MAXINSNS];
    int program = open(file, O_RDONLY | O_CLOEXEC);
    ssize_t size = program < 0 ? -1 : read(program, code, sizeof code);
    struct sock_fprog filter = {(unsigned short)(size / (ssize_t)sizeof *code), code};
    close(program);
    if (size <= 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) < 0)
        return -1;
    /* Nobody who is not traced can make a call that is reported: ENOSYS, see seccomp(2). */
    return (int)syscall(CUE, CUE_BEGIN, 0, 0);
}

int can_filter(void) {
    uint32_t action = SECCOMP_RET_ERRNO;
    return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

#else

int can_filter(void) {
    return 0;
}

int filter_calls(int place) {
    (void)place;
    return -1;
}

int report_to_tracer(const char *file) {
    (void)file;
    return -1;
}

#endif
