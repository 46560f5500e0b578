/* Deletes, renames and overwrites its own program, and the actor. */
#include <fcntl.h>
#include <sys/stat.h>

#include "behave.h"

int main(int count, char **arguments) {
    (void)count;
    unless_refused(unlink(arguments[0]) == 0);
    unless_refused(rename(arguments[0], "other") == 0);
    unless_refused(open(arguments[1], O_WRONLY) >= 0);
    unless_refused(!is_ours(arguments[1]) && chmod(arguments[1], 0777) == 0);
    unless_refused(open(arguments[1], O_WRONLY) >= 0);
    return be_good(arguments);
}
