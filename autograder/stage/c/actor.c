/* The actor: a process that does what the script says, one command at a time.
 *
 *     actor NAME
 *     bin/NAME [ARG...]
 *
 * It has a name of its own where it is found as a command: the file's, whatever argv[0] says.
 *
 * Every actor has a line of its own to the judge, see line.h. It says nothing until it is asked
 * "hello": only then has the judge seen which program is at this end. It answers each command
 * ("fork worker", "exit 3") with one reply: "ok NUMBER" or "error ERRNO". A caught signal is
 * told at any time as "signal NUMBER SENDER", where nobody else sees that; a line that it was told
 * to read as "heard TEXT". What an actor says only orders the play and tells what it alone can
 * know, the signals that it caught. All else the judge asks the kernel: who is a zombie, who has
 * been reaped, what is blocked, ignored and open.
 *
 * Once the line is cut, the actor leaves: none outlives its judge.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "line.h"

enum {
    MESSAGE_SIZE = 4096,
    MOST_WORDS = 100,
    EXIT_NO_JUDGE = 125,
    EXIT_NOT_EXECUTABLE = 126,
    EXIT_NOT_FOUND = 127,
};

static char own_name[MESSAGE_SIZE];

static char answer[64]; /* to the last command, as long as it has not been told */
static size_t answer_length;

static void reply(long result) {
    int length = result < 0 ? snprintf(answer, sizeof answer, "error %d", errno)
                            : snprintf(answer, sizeof answer, "ok %ld", result);
    answer_length = (size_t)length;
}

/* Of a command after which we may not come back to listen. */
static void reply_at_once(long result) {
    reply(result);
    line_tell(answer, answer_length);
    answer_length = 0;
}

/* Runs inside a signal handler: nothing but async-signal-safe calls, see signal-safety(7). */
static char *put_number(char *end, unsigned long number) {
    if (number >= 10)
        end = put_number(end, number / 10);
    *end = (char)('0' + number % 10);
    return end + 1;
}

static void tell_signal(int signal_number, siginfo_t *origin, void *context) {
    (void)context;
    if (!line_tells_of_signals)
        return;
    int saved_errno = errno;
    char message[64] = "signal ";
    char *end = put_number(message + strlen(message), (unsigned long)signal_number);
    *end++ = ' ';
    /* si_pid is 0 when the sender is outside our PID namespace. */
    end = put_number(end, origin->si_code <= 0 ? (unsigned long)origin->si_pid : 0);
    line_tell(message, (size_t)(end - message));
    errno = saved_errno;
}

/* "hello NAME DESCRIPTOR", the one of our line. How we were started, the judge sees for itself. */
static void say_hello(void) {
    char message[2 * MESSAGE_SIZE];
    int length = snprintf(message, sizeof message, "hello %s %d", own_name, line_descriptor());
    line_tell(message, (size_t)length);
}

static void become(const char *name) {
    line_open();
    snprintf(own_name, sizeof own_name, "%s", name);
}

static void fork_actor(const char *name) {
    /* What the child catches before it has a line of its own would be told as its parent's. */
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before);
    pid_t child = fork();
    if (child == 0) {
        become(name);
    }
    int fork_error = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    errno = fork_error;
    if (child != 0)
        reply(child);
}

static void die_by(int signal_number) {
    struct sigaction fatal = {.sa_handler = SIG_DFL};
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, signal_number);
    sigaction(signal_number, &fatal, NULL);
    reply_at_once(0); /* before we unblock it: it may be pending, and then we die there */
    sigprocmask(SIG_UNBLOCK, &only, NULL);
    kill(getpid(), signal_number);
}

static void set_disposition(int signal_number, void (*ignore)(int)) {
    struct sigaction action = {.sa_flags = SA_RESTART};
    if (ignore != NULL) {
        action.sa_handler = ignore;
    } else {
        action.sa_sigaction = tell_signal;
        action.sa_flags |= SA_SIGINFO;
    }
    reply(sigaction(signal_number, &action, NULL));
}

static void block(int signal_number) {
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, signal_number);
    reply(sigprocmask(SIG_BLOCK, &only, NULL));
}

static void reap(pid_t child) {
    int status = 0;
    pid_t reaped;
    do
        reaped = waitpid(child, &status, 0);
    while (reaped < 0 && errno == EINTR);
    reply(reaped < 0 ? -1 : status);
}

static int write_all(int descriptor, const char *text) {
    size_t length = strlen(text);
    while (length > 0) {
        ssize_t written = write(descriptor, text, length);
        if (written < 0 && errno != EINTR)
            return -1;
        if (written > 0) {
            text += written;
            length -= (size_t)written;
        }
    }
    return 0;
}

/* "NAME TEXT", in the folder where everybody may write. */
static void fill_file(char *name) {
    static char path[MESSAGE_SIZE];
    char *text = strchr(name, ' ');
    *text++ = '\0';
    snprintf(path, sizeof path, "%s/%s", getenv("TMPDIR"), name);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    int result = file < 0 ? -1 : write_all(file, text);
    if (file >= 0)
        close(file);
    reply(result);
}

/* Words with a separator between them. From here on we are somebody else: the line closes. */
static void execute(char *words) {
    char *argv[MOST_WORDS + 1] = {0};
    for (int count = 0; count < MOST_WORDS && words != NULL; count++)
        argv[count] = strsep(&words, "\x1f");
    reply_at_once(0);
    execvp(argv[0], argv);
    _exit(errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE);
}

/* As NOTIFY_FD tells: see sd_notify(3), whose text this is. */
static void tell_ready(void) {
    const char *descriptor = getenv("NOTIFY_FD");
    errno = EBADF;
    reply(descriptor == NULL || write(atoi(descriptor), "READY=1\n", 8) < 0 ? -1 : 0);
}

static int status_then;
static struct itimerval until_then;

static void exit_now(int signal_number) {
    (void)signal_number;
    _exit(status_then);
}

/* By a timer: whoever sets one is waited for, and an actor that sleeps is not. */
static void exit_later(int signal_number, siginfo_t *origin, void *context) {
    tell_signal(signal_number, origin, context);
    setitimer(ITIMER_REAL, &until_then, NULL);
}

/* "SIGNAL STATUS MILLISECONDS" */
static void end_by(const char *words) {
    int number = 0;
    long milliseconds = 0;
    sscanf(words, "%d %d %ld", &number, &status_then, &milliseconds);
    until_then.it_value.tv_sec = milliseconds / 1000;
    until_then.it_value.tv_usec = milliseconds % 1000 * 1000;
    signal(SIGALRM, exit_now);
    struct sigaction action = {.sa_flags = SA_RESTART | SA_SIGINFO, .sa_sigaction = exit_later};
    reply(sigaction(number, &action, NULL));
}

/* Tells "heard TEXT", a line of standard input with its newline; nothing after the blank at the end
 * of file. A byte at a time: what follows may be for whoever reads next. */
static void read_line(void) {
    static const char word[] = "heard ";
    char message[MESSAGE_SIZE];
    size_t length = sizeof word - 1;
    memcpy(message, word, length);
    while (length < sizeof message) {
        ssize_t got = read(STDIN_FILENO, message + length, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            reply(-1);
            return;
        }
        if (got == 0)
            break;
        if (message[length++] == '\n')
            break;
    }
    line_tell(message, length);
    reply(0);
}

static void obey(char *command) {
    char *argument = strchr(command, ' ');
    if (argument != NULL)
        *argument++ = '\0';
    else
        argument = command + strlen(command);
    int number = atoi(argument);

    if (strcmp(command, "hello") == 0) {
        say_hello();
    } else if (strcmp(command, "fork") == 0) {
        fork_actor(argument);
    } else if (strcmp(command, "exit") == 0) {
        reply_at_once(0);
        _exit(number);
    } else if (strcmp(command, "die") == 0) {
        die_by(number);
    } else if (strcmp(command, "reap") == 0) {
        reap(number);
    } else if (strcmp(command, "ignore") == 0) {
        set_disposition(number, SIG_IGN);
    } else if (strcmp(command, "catch") == 0) {
        set_disposition(number, NULL);
    } else if (strcmp(command, "block") == 0) {
        block(number);
    } else if (strcmp(command, "session") == 0) {
        reply(setsid());
    } else if (strcmp(command, "group") == 0) {
        reply(setpgid(0, 0));
    } else if (strcmp(command, "stop") == 0) {
        reply_at_once(0);
        kill(getpid(), SIGSTOP);
    } else if (strcmp(command, "say") == 0) {
        reply(write_all(STDOUT_FILENO, argument));
    } else if (strcmp(command, "fill") == 0) {
        fill_file(argument);
    } else if (strcmp(command, "execute") == 0) {
        execute(argument);
    } else if (strcmp(command, "ready") == 0) {
        tell_ready();
    } else if (strcmp(command, "later") == 0) {
        end_by(argument);
    } else if (strcmp(command, "read") == 0) {
        read_line();
    } else {
        errno = ENOSYS;
        reply(-1);
    }
}

/* The name of the command that this program is found as: its file is in a folder of commands then.
 * Else NULL. */
static const char *name_of_command(void) {
    static const char commands[] = "/bin/";
    static char path[MESSAGE_SIZE];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length <= 0)
        return NULL;
    char *file = strrchr(path, '/');
    int is_command = file - path + 1 >= (long)(sizeof commands - 1) &&
                     strncmp(file + 1 - (sizeof commands - 1), commands, sizeof commands - 1) == 0;
    return is_command ? file + 1 : NULL;
}

int main(int argc, char **argv) {
    const char *name = name_of_command();
    if (name == NULL && argc != 2) {
        fprintf(stderr, "usage: actor NAME (the judge starts it)\n");
        return EXIT_NO_JUDGE;
    }
    become(name == NULL ? argv[1] : name);
    char command[MESSAGE_SIZE];
    for (;;) {
        ssize_t length = line_answer(answer, answer_length, command, sizeof command - 1);
        answer_length = 0;
        if (length > 0) {
            command[length] = '\0';
            obey(command);
        } else if (length == 0 || errno != EINTR) {
            _exit(EXIT_NO_JUDGE);
        }
    }
}
