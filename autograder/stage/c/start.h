/* How a play says that init is to be started: settings, a text each, up to a NULL.
 *
 *     "in FOLDER"  "set NAME=VALUE"  "umask OCTAL"  "nice NUMBER"
 *     "ignore SIGNAL"  "block SIGNAL"  "pend SIGNAL"  "close DESCRIPTOR"
 *     "hold exits": exit_group(2) is reported too, see timers.h
 *
 * What is not said is as a fresh login has it. Settings of other files (birth.h, job.h) are passed
 * over.
 */
#ifndef START_H
#define START_H

#include <stddef.h>

/* What follows `word` and a blank in the first setting that begins with it; NULL if none does. */
const char *setting(char *const *settings, const char *word);

/* Folder, environment, umask and nice value, of the calling process; -1 and errno if one of them
 * cannot be. `environment` is a list up to a NULL, in an array that holds `most` texts. */
int set_surroundings(char *const *settings, char **environment, size_t most);

/* Descriptors and signals. A signal that is to be pending is blocked, and sent to the caller. */
void set_descriptors_and_signals(char *const *settings);

#endif
