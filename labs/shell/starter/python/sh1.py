"""A shell that can do one thing at a time, and dies of ^C.

    python3 sh1.py

Make it one with jobs: the handout (README.md) says what is asked, and
`make check LAB=shell SUBMISSION=...` how far you are.
"""

import os
import sys


def main():
    # Part 3, signals: at a terminal, ^C and ^Z are for the job in the foreground, never for you.
    # And when you take the terminal back, you are in the background for a moment: SIGTTOU.
    while True:
        # Part 1, jobs: tell here which jobs have ended.
        print("sh1> " if os.isatty(0) else "", end="", flush=True)
        # Part 4, at rest: here you wait for hours, and jobs end meanwhile. Who collects them? You
        # wait for two things at once. select.poll(), signal.set_wakeup_fd()
        line = sys.stdin.readline()
        if not line or obey(line) == "quit":
            return


def obey(line):
    words = line.split()
    foreground = True
    if words and words[-1] == "&":
        foreground = False
        words.pop()
    if not words:
        return None
    if words[0] == "quit":
        return "quit"
    # Part 1, jobs: `jobs`. Part 2, groups: `fg %J` and `bg %J`.
    start(words, foreground)
    return None


def start(words, foreground):
    pid = os.fork()
    if pid == 0:
        become(words)
    # Part 1, jobs: who does not wait for a job must remember it. When can it have ended at the
    # earliest, and is it in your table by then?
    #
    # Part 2, groups: does the group exist already, or must you make sure of it, too? And whose is
    # the terminal when the job has ended, or stopped? os.WUNTRACED
    os.waitpid(pid, 0)


def become(words):
    """Turn the child into a command; never return."""
    status = 126
    try:
        # Part 2, groups: a job is a process group of its own, and one in the foreground has the
        # terminal. os.setpgid(), os.tcsetpgrp()
        #
        # Part 3, signals: what the shell ignores or blocks, its commands must not. Python ignores
        # two signals from its start. signal(7)
        os.execvp(words[0], words)
    except OSError as error:
        if isinstance(error, FileNotFoundError):
            status = 127
        print(f"sh1: {words[0]}: {error.strerror}", file=sys.stderr, flush=True)
    finally:
        os._exit(status)  # whatever happens, the child must not go on as a second shell


if __name__ == "__main__":
    main()
