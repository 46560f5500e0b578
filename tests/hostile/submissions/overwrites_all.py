"""Writes into every folder that others may write to."""

import os

import target
from behave import be_good, unless_refused

folder = os.path.dirname(target.CANARY_FILE)
for path in (
    target.CANARY_FILE,
    f"{folder}/new",
    "/tmp/../var/tmp/x",
    "/dev/shm/x",
    "/x",
    "/usr/x",
):
    with unless_refused():
        open(path, "a").close()
be_good()
