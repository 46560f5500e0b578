/* Counts what a whole play uses, not each of its processes.
 *
 * Limits of a process, setrlimit(2), do not help against many: eight that take what one may.
 */
#ifndef CENSUS_H
#define CENSUS_H

#include <stddef.h>
#include <sys/types.h>

/* Of what a play takes too much: "processes", "memory", "files" or "disk"; NULL if of nothing.
 *
 * With `own_namespaces` it is everybody in our PID namespace, else everybody who descends from us,
 * and what is in those of `folders` that are not "ro:FOLDER": a namespace of its own has file
 * systems that are limited. `folders` ends with NULL. The play runs as `user`; 0: as we do. */
const char *excess_of(int own_namespaces, uid_t user, char *const *folders);

/* Adds the children of a process to a list that has room for `most`, and answers its new length. */
size_t list_children(pid_t process, pid_t *list, size_t length, size_t most);

/* How many threads run as this user, its other processes included: all of them count for
 * RLIMIT_NPROC. */
long threads_of(uid_t user);

#endif
