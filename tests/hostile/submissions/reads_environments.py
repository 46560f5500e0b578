"""Looks for a secret in the environment of every process that it sees."""

import os

import target
from behave import be_good

for pid in ["self", str(target.GRADER), str(os.getppid()), *map(str, range(1, 400))]:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            if target.SECRET.encode() in file.read():
                os._exit(99)
    except OSError:
        pass
be_good()
