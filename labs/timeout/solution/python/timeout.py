"""Runs a command, and ends it and all that it has started if it takes too long.

    python3 timeout.py [-k S] SECONDS CMD [ARG...]

Three things can happen while CMD runs: it ends, the time is up, or somebody sends us a signal that
is meant for it. Each announces itself by a signal; all are blocked, and fetched one by one with
sigwaitinfo(2). So there are no handlers, and nothing can come between a look and a sleep.
"""

import contextlib
import getopt
import os
import signal
import sys

TIMED_OUT, FAILED, CANNOT_EXECUTE, NOT_FOUND, KILLED = 124, 125, 126, 127, 128
# What ends a process, and is usually sent to the one that was started: to us.
PASSED_ON = {
    signal.SIGHUP,
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGTERM,
    signal.SIGUSR1,
    signal.SIGUSR2,
}
AWAITED = PASSED_ON | {signal.SIGALRM, signal.SIGCHLD}
LONGEST = 1e9  # seconds: more than thirty years is for ever
SHORTEST = 1e-6  # what setitimer(2) takes for 0 means "never"


def main(arguments):
    try:
        options, rest = getopt.getopt(arguments, "k:")  # stops at CMD: what follows is its own
        grace = sum(seconds_of(text) for _, text in options[-1:])
        seconds, command = seconds_of(rest[0]), rest[1:]
        if not command:
            raise IndexError("no command")
    except (getopt.GetoptError, ValueError, IndexError) as error:
        print(f"timeout: {error}", file=sys.stderr)
        print("usage: timeout.py [-k S] SECONDS CMD [ARG...]", file=sys.stderr)
        return FAILED

    # A group of our own, so that we can signal all of it and nobody else. Who is its leader
    # already, as at a shell, stays it; a session's leader is one and may not ask.
    with contextlib.suppress(PermissionError):
        os.setpgid(0, 0)

    inherited = signal.pthread_sigmask(signal.SIG_BLOCK, AWAITED)
    # Were SIGCHLD ignored, CMD would vanish without a status: wait(2).
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    # Python would make an exception of a SIGINT that comes to the child before it is CMD.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    try:
        child = os.fork()
    except OSError as error:
        print(f"timeout: fork: {error}", file=sys.stderr)
        return FAILED
    if child == 0:
        become(command, inherited)
    set_alarm(seconds)
    return look_after(child, grace)


def seconds_of(text):
    """A number of seconds, at most LONGEST. Raises ValueError."""
    seconds = float(text)
    if not seconds >= 0:  # not a number is not >= 0 either
        raise ValueError(f"{text}: not a number of seconds")
    return min(seconds, LONGEST)


def set_alarm(seconds):
    """Have SIGALRM come after so many seconds; 0 means never."""
    signal.setitimer(signal.ITIMER_REAL, max(seconds, SHORTEST) if seconds else 0)


def look_after(command, grace):
    """Wait until CMD ends; return what we are to exit with."""
    timed_out = False
    when_time_is_up = signal.SIGTERM
    while True:
        number = signal.sigwaitinfo(AWAITED).si_signo

        # Whatever woke us: who has ended by now has ended in time.
        ended, wait_status = os.waitpid(command, os.WNOHANG)
        if ended:
            killed = os.WIFSIGNALED(wait_status) and os.WTERMSIG(wait_status) == signal.SIGKILL
            if timed_out and not killed:
                return TIMED_OUT
            if os.WIFEXITED(wait_status):
                return os.WEXITSTATUS(wait_status)
            return KILLED + os.WTERMSIG(wait_status)
        if number == signal.SIGCHLD:
            continue  # it was stopped or continued
        if number == signal.SIGALRM:
            timed_out = True
            number = when_time_is_up
        signal_everybody(command, number)
        if grace:
            when_time_is_up = signal.SIGKILL
            set_alarm(grace)
            grace = 0


def signal_everybody(command, number):
    """Send a signal to CMD and to everybody whom it has started.

    They are in our process group, and so are we. What we have sent to ourselves is pending now, and
    would be passed on once more; but what becomes ignored while it is pending is thrown away. CMD
    may have left the group meanwhile. It has not been collected yet, so its pid is its own.
    """
    if number == signal.SIGKILL:
        os.kill(command, number)  # we do not live to see the end of the next line
    os.kill(0, number)
    signal.signal(number, signal.SIG_IGN)
    signal.signal(number, signal.SIG_DFL)
    if os.getpgid(command) != os.getpgrp():
        os.kill(command, number)
    # Who is stopped cannot die.
    os.kill(0, signal.SIGCONT)
    os.kill(command, signal.SIGCONT)


def become(command, mask):
    """Turn the child into CMD; never return."""
    status = CANNOT_EXECUTE
    try:
        # Python ignores these two, and what is ignored stays so when a program is executed.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        # So does the mask. What has come for CMD until now comes to it here.
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        os.execvp(command[0], command)
    except (OSError, ValueError) as error:  # ValueError: Python refuses an empty name itself
        if isinstance(error, (FileNotFoundError, NotADirectoryError, ValueError)):
            status = NOT_FOUND
        print(f"timeout: {command[0]}: {error}", file=sys.stderr, flush=True)
    finally:
        os._exit(status)  # whatever went wrong: there must not be a second timeout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
