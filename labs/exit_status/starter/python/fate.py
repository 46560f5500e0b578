"""Runs a command and says with which status it has exited. That is right as long as it does exit:
the handout (README.md) says what else can become of it, and
`make check LAB=exit_status SUBMISSION=...` says how far you are.

    python3 fate.py CMD [ARG...]
"""

import os
import sys

if len(sys.argv) < 2:
    print("usage: fate.py CMD [ARG...]", file=sys.stderr)
    sys.exit(1)  # Part 1: with what does a program exit that was called wrongly?

command = os.fork()
if command == 0:
    try:
        os.execvp(sys.argv[1], sys.argv[1:])
    except OSError as error:
        # Part 1: the error says why: 127 or 126?
        print(error, file=sys.stderr)
        os._exit(1)

# Part 3: this tells of CMD's end alone. Which options make waitpid() tell of stops as well? And what
# is to be done after one? wait(2)
_, status = os.waitpid(command, 0)

# Part 1: is that the exit status? Part 2: and did it exit at all?
print("exited with", status)
sys.exit(status)
