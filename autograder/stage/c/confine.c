/* See confine.h. */
#define _GNU_SOURCE
#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What each process of a play may use. All processes together are watched, see census.c. */
static const struct {
    __rlimit_resource_t resource;
    rlim_t most;
} limits[] = {
    {RLIMIT_CORE, 0},           {RLIMIT_NOFILE, 1024},     {RLIMIT_MSGQUEUE, 0},
    {RLIMIT_MEMLOCK, 64 << 10}, {RLIMIT_SIGPENDING, 1024},
};

static void set_limit(__rlimit_resource_t resource, rlim_t most) {
    struct rlimit now, wanted = {most, most};
    if (getrlimit(resource, &now) == 0 && now.rlim_max < most)
        wanted.rlim_cur = wanted.rlim_max = now.rlim_max;
    setrlimit(resource, &wanted);
}

void set_limits(rlim_t file_size, rlim_t processes, rlim_t seconds) {
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        set_limit(limits[i].resource, limits[i].most);
    set_limit(RLIMIT_FSIZE, file_size);
    set_limit(RLIMIT_NPROC, processes);
    set_limit(RLIMIT_CPU, seconds);
}

int drop_capabilities(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {0};
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    for (int capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; capability++)
        prctl(PR_CAPBSET_DROP, capability);
    return (int)syscall(SYS_capset, &header, none);
}

/* See linux/landlock.h; repeated because the headers of a system are often older than its kernel.
 */
enum {
    LANDLOCK_CREATE = 444,
    LANDLOCK_ADD = 445,
    LANDLOCK_RESTRICT = 446,
    EXECUTE = 1 << 0,
    WRITE_FILE = 1 << 1,
    READ_FILE = 1 << 2,
    READ_FOLDER = 1 << 3,
    MAKE_DEVICES = 1 << 6 | 1 << 11,
    REFER = 1 << 13,
    TRUNCATE = 1 << 14,
    NO_ABSTRACT_SOCKETS = 1 << 0,
    NO_SIGNALS = 1 << 1,
};

int landlock_version(void) {
    long version = syscall(LANDLOCK_CREATE, NULL, 0, 1);
    return version < 0 ? 0 : (int)version;
}

struct landlock_attributes {
    uint64_t files, network, scope;
};

/* Whether the kernel keeps the signals of who is fenced in to those who are inside with it. */
static int has_scopes(int version) {
    return version >= 6;
}

int fence_signals_in(void) {
    struct landlock_attributes attributes = {.scope = NO_SIGNALS};
    if (!has_scopes(landlock_version()))
        return 0;
    int ruleset = (int)syscall(LANDLOCK_CREATE, &attributes, sizeof attributes, 0);
    if (ruleset < 0)
        return 0;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
        syscall(LANDLOCK_RESTRICT, ruleset, 0);
    close(ruleset);
    /* Tried, not believed: whoever relies on it sends a signal to everybody. */
    return kill(getppid(), 0) < 0 && errno == EPERM;
}

static int allow(int ruleset, const char *path, uint64_t rights) {
    struct __attribute__((packed)) {
        uint64_t rights;
        int32_t folder;
    } rule = {rights, open(path, O_PATH | O_CLOEXEC)};
    struct stat facts;
    if (rule.folder < 0)
        return 0; /* what is not there needs no rule */
    if (fstat(rule.folder, &facts) == 0 && !S_ISDIR(facts.st_mode))
        rule.rights &= EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE;
    int result = (int)syscall(LANDLOCK_ADD, ruleset, 1, &rule, 0);
    close(rule.folder);
    return result;
}

int hide_files(char *const *rules, const char *terminal) {
    static const char *const readable[] = {
        "/usr",
        "/bin",
        "/sbin",
        "/lib",
        "/lib32",
        "/lib64",
        "/libx32",
        "/etc/alternatives",
        "/etc/ld.so.cache",
        "/etc/ld.so.conf",
        "/etc/ld.so.conf.d",
        "/etc/localtime",
        "/dev/random",
        "/dev/urandom",
        "/proc/self",
    };
    /* Not /dev/pts: other terminals of the same user are there. */
    const char *const writable[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/tty",
                                    terminal == NULL ? "/dev/tty" : terminal};
    int version = landlock_version();
    if (version == 0)
        return 0;
    struct landlock_attributes attributes = {
        .files = 0x1fff, .scope = has_scopes(version) ? NO_ABSTRACT_SOCKETS | NO_SIGNALS : 0};
    attributes.files |= (version >= 2 ? REFER : 0) | (version >= 3 ? TRUNCATE : 0);
    size_t size = has_scopes(version) ? 24 : version >= 4 ? 16 : 8;
    uint64_t read = EXECUTE | READ_FILE | READ_FOLDER;
    uint64_t write = (READ_FILE | WRITE_FILE | TRUNCATE) & attributes.files;
    int failed = 0;
    int ruleset = (int)syscall(LANDLOCK_CREATE, &attributes, size, 0);
    if (ruleset < 0)
        return -1;
    for (size_t i = 0; i < sizeof readable / sizeof *readable; i++)
        failed |= allow(ruleset, readable[i], read);
    for (size_t i = 0; i < sizeof writable / sizeof *writable; i++)
        failed |= allow(ruleset, writable[i], write);
    for (; *rules != NULL; rules++)
        failed |= allow(ruleset, strchr(*rules, ':') + 1,
                        strncmp(*rules, "ro:", strlen("ro:")) == 0
                            ? read
                            : attributes.files & ~(uint64_t)MAKE_DEVICES);
    failed |= (int)syscall(LANDLOCK_RESTRICT, ruleset, 0);
    close(ruleset);
    return failed;
}
