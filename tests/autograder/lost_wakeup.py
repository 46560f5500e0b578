"""A program for the lab timeout that may sleep for ever, for whoever looks at all schedules."""

# Between its look and its sleep the child may end: SIGCHLD has come then, and nobody wakes it any more.
LOOKS_AND_THEN_SLEEPS = """
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
static volatile sig_atomic_t has_ended;
static void note(int number) { (void)number; has_ended = 1; }
int main(int count, char **arguments) {
    (void)count;
    signal(SIGCHLD, note);
    pid_t child = fork();
    if (child == 0) { execvp(arguments[2], arguments + 2); _exit(127); }
    while (!has_ended) pause();
    int status;
    waitpid(child, &status, 0);
    return WEXITSTATUS(status);
}
"""
