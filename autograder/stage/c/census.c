/* See census.h. */
#define _GNU_SOURCE
#include "census.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    MOST_PROCESSES = 512, /* threads count as well */
    MOST_KILOBYTES = 512 << 10,
    MOST_FILES = 16384, /* in the folders that it may write to */
    MOST_FILE_KILOBYTES = 256 << 10,
    DEEPEST_FOLDER = 100,
};

struct usage {
    long processes;
    long kilobytes;
    long files;
    long file_kilobytes;
};

/* The number after `name` in the text of a file in /proc; 0 if it is not there. */
static long number_after(const char *text, const char *name) {
    const char *found = strstr(text, name);
    return found == NULL ? 0 : atol(found + strlen(name));
}

/* The beginning of /proc/PID/FILE; empty if the process is gone or we may not look. */
static void read_about(pid_t process, const char *file, char *text, size_t size) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", process, file);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = descriptor < 0 ? 0 : read(descriptor, text, size - 1);
    text[length > 0 ? length : 0] = '\0';
    if (descriptor >= 0)
        close(descriptor);
}

static long number_of_threads(const char *status) {
    long threads = number_after(status, "\nThreads:");
    return threads > 0 ? threads : 1;
}

static void count_process(pid_t process, struct usage *usage) {
    char status[4096];
    read_about(process, "status", status, sizeof status);
    usage->processes += number_of_threads(status);
    usage->kilobytes += number_after(status, "\nRssAnon:") + number_after(status, "\nRssShmem:");
}

/* What several share counts once here; it takes the kernel much longer. Nobody who does not let us
 * look counts less for it. */
static void count_shares(pid_t process, struct usage *usage) {
    char rollup[4096], status[4096];
    read_about(process, "smaps_rollup", rollup, sizeof rollup);
    read_about(process, "status", status, sizeof status);
    long whole = number_after(status, "\nRssAnon:") + number_after(status, "\nRssShmem:");
    long share = number_after(rollup, "\nPss_Anon:") + number_after(rollup, "\nPss_Shmem:");
    usage->kilobytes += strstr(rollup, "\nPss_Anon:") == NULL ? whole : share;
}

typedef void counter(pid_t, struct usage *);

/* Everybody in our PID namespace but ourselves. */
static void count_namespace(counter *count, struct usage *usage) {
    DIR *processes = opendir("/proc");
    struct dirent *entry;
    if (processes == NULL)
        return;
    while ((entry = readdir(processes)) != NULL && usage->processes <= MOST_PROCESSES)
        if (isdigit((unsigned char)*entry->d_name) && atoi(entry->d_name) != getpid())
            count(atoi(entry->d_name), usage);
    closedir(processes);
}

long threads_of(uid_t user) {
    char status[4096];
    long threads = 0;
    DIR *processes = opendir("/proc");
    struct dirent *entry;
    while (processes != NULL && (entry = readdir(processes)) != NULL) {
        if (!isdigit((unsigned char)*entry->d_name))
            continue;
        read_about(atoi(entry->d_name), "status", status, sizeof status);
        if (*status != '\0' && number_after(status, "\nUid:") == (long)user)
            threads += number_of_threads(status);
    }
    if (processes != NULL)
        closedir(processes);
    return threads;
}

static size_t list_of_thread(pid_t process, const char *thread, pid_t *list, size_t length,
                             size_t most) {
    char path[320];
    snprintf(path, sizeof path, "/proc/%d/task/%s/children", process, thread);
    FILE *children = fopen(path, "re");
    if (children == NULL)
        return length;
    while (length < most && fscanf(children, "%d", &list[length]) == 1)
        length++;
    fclose(children);
    return length;
}

/* They belong to the thread that forked them. Who counts a fork bomb has little time: of a process
 * with one thread, a folder with three links, no more is looked at than need be. */
size_t list_children(pid_t process, pid_t *list, size_t length, size_t most) {
    char path[64];
    struct stat facts;
    snprintf(path, sizeof path, "/proc/%d/task", process);
    if (stat(path, &facts) == 0 && facts.st_nlink == 3) {
        snprintf(path, sizeof path, "%d", process);
        return list_of_thread(process, path, list, length, most);
    }
    DIR *threads = opendir(path);
    struct dirent *entry;
    if (threads == NULL)
        return length;
    while ((entry = readdir(threads)) != NULL)
        if (*entry->d_name != '.')
            length = list_of_thread(process, entry->d_name, list, length, most);
    closedir(threads);
    return length;
}

/* Everybody who descends from us. */
static void count_descendants(counter *count, struct usage *usage) {
    pid_t list[MOST_PROCESSES + 2];
    size_t most = sizeof list / sizeof *list;
    size_t length = list_children(getpid(), list, 0, most);
    for (size_t i = 0; i < length; i++) {
        count(list[i], usage);
        length = list_children(list[i], list, length, most);
    }
}

/* A folder into which we may not look, or that is too deep, counts as more than is allowed. */
static void count_files(int parent, const char *name, struct usage *usage, int depth) {
    int descriptor = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *folder = descriptor < 0 ? NULL : fdopendir(descriptor);
    struct dirent *entry;
    struct stat facts;
    if (folder == NULL || depth > DEEPEST_FOLDER) {
        if (folder != NULL)
            closedir(folder);
        usage->files += fstatat(parent, name, &facts, AT_SYMLINK_NOFOLLOW) == 0 ? MOST_FILES : 0;
        return;
    }
    while (usage->files <= MOST_FILES && (entry = readdir(folder)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            fstatat(descriptor, entry->d_name, &facts, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        usage->files++;
        usage->file_kilobytes += facts.st_blocks / 2;
        if (S_ISDIR(facts.st_mode))
            count_files(descriptor, entry->d_name, usage, depth + 1);
    }
    closedir(folder);
}

static void count_all(int own_namespaces, counter *count, struct usage *usage) {
    if (own_namespaces)
        count_namespace(count, usage);
    else
        count_descendants(count, usage);
}

/* The kernel shows shares to whoever may trace. Root in a container may not, but their own user. */
static void look_as(uid_t user) {
    setfsgid(user);
    setfsuid(user);
}

const char *excess_of(int own_namespaces, uid_t user, char *const *folders) {
    struct usage usage = {0};
    count_all(own_namespaces, count_process, &usage);
    if (usage.processes > MOST_PROCESSES)
        return "processes";
    if (usage.kilobytes > MOST_KILOBYTES) {
        usage = (struct usage){0};
        look_as(user);
        count_all(own_namespaces, count_shares, &usage);
        look_as(0);
        if (usage.kilobytes > MOST_KILOBYTES)
            return "memory";
    }
    for (; *folders != NULL && !own_namespaces; folders++)
        if (strncmp(*folders, "ro:", strlen("ro:")) != 0)
            count_files(AT_FDCWD, strchr(*folders, ':') + 1, &usage, 0);
    return usage.files > MOST_FILES                     ? "files"
           : usage.file_kilobytes > MOST_FILE_KILOBYTES ? "disk"
                                                        : NULL;
}
