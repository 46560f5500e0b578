/* See filter.h. */
#define _GNU_SOURCE
#include "filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
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
    SPECIAL = FORBIDDEN + REFUSALS + 2, /* with clone3 and prlimit64 */
    IN_A_ROW = 8,                       /* tested one after the other, where a search has come to */
};

#ifdef ARCHITECTURE

#define FIELD(name) (uint32_t)offsetof(struct seccomp_data, name)
#define LOWER_HALF(argument)                                                                       \
    (FIELD(args) + 8 * (uint32_t)(argument)) /* little-endian, both of them */

struct program {
    struct sock_filter code[6 * SPECIAL + 7 * REFUSALS + 32];
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

/* Limits of others may be read, not set: there is a pid, and a pointer to new ones. */
static void add_limits(struct program *program) {
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
}

static int is_forbidden(int call) {
    for (size_t i = 0; i < FORBIDDEN; i++)
        if (forbidden[i] == call)
            return 1;
    return 0;
}

/* What is said to one call. If that is nothing, its number is loaded afterwards, as it was before.
 */
static void add_call(struct program *program, int call, int place) {
    if (call == SYS_prlimit64) {
        add_limits(program);
    } else if (is_forbidden(call) || call == SYS_clone3) {
        /* Of clone3 the flags are in memory; the C library then takes clone(2). */
        unless_equal_skip(program, (uint32_t)call, 1);
        answer(program, SECCOMP_RET_ERRNO | (call == SYS_clone3 ? ENOSYS : EPERM));
    } else {
        for (size_t i = 0; i < REFUSALS; i++)
            if (refusals[i].call == call && (refusals[i].place == 0 || refusals[i].place & place))
                add_refusal(program, &refusals[i]);
        load(program, FIELD(nr));
    }
}

/* A search by halves: the kernel follows the filter once for each call that there is when it is
 * installed, and again at each call that it does not always allow. */
static void add_search(struct program *program, const int *calls, int count, int place) {
    if (count <= IN_A_ROW) {
        for (int i = 0; i < count; i++)
            add_call(program, calls[i], place);
        answer(program, SECCOMP_RET_ALLOW);
        return;
    }
    int lower = count / 2;
    add(program, BPF_JMP | BPF_JGE | BPF_K, (uint32_t)calls[lower], 1);
    unsigned short jump = program->length;
    add(program, BPF_JMP | BPF_JA, 0, 0);
    add_search(program, calls, lower, place);
    program->code[jump].k = (uint32_t)(program->length - jump - 1);
    add_search(program, calls + lower, count - lower, place);
}

static int by_number(const void *one, const void *other) {
    return *(const int *)one - *(const int *)other;
}

/* All calls of which something is said, in the order of their numbers; answers how many. */
static int list_calls(int *calls) {
    int all = 0, different = 0;
    for (size_t i = 0; i < FORBIDDEN; i++)
        calls[all++] = forbidden[i];
    for (size_t i = 0; i < REFUSALS; i++)
        calls[all++] = refusals[i].call;
    calls[all++] = SYS_clone3;
    calls[all++] = SYS_prlimit64;
    qsort(calls, (size_t)all, sizeof *calls, by_number);
    for (int i = 0; i < all; i++)
        if (i == 0 || calls[i] != calls[i - 1])
            calls[different++] = calls[i];
    return different;
}

static void write_program(struct program *program, int place) {
    int calls[SPECIAL];
    load(program, FIELD(arch));
    add(program, BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1);
    add(program, BPF_JMP | BPF_JA, 1, 0);
    answer(program, SECCOMP_RET_ERRNO | ENOSYS); /* other architectures' numbers mean other calls */
    load(program, FIELD(nr));
    add(program, BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 1); /* x32 */
    answer(program, SECCOMP_RET_ERRNO | ENOSYS);
    add_search(program, calls, list_calls(calls), place);
}

int filter_calls(int place) {
    struct program program = {.length = 0};
    write_program(&program, place);
    struct sock_fprog filter = {program.length, program.code};
    /* Not by prctl(2): where we are traced by now, that is a stop. */
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter);
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
