"""Takes all processor time away from every process that it may: RLIMIT_CPU by prlimit(2)."""

import contextlib
import os
import resource

import target
from behave import be_good, unless_refused

for pid in (target.GRADER, target.CANARY, os.getppid() or 2):
    with unless_refused():
        resource.prlimit(pid, resource.RLIMIT_CPU, (0, 0))
for pid in range(2, 5000):
    if pid != os.getpid():
        with contextlib.suppress(OSError):
            resource.prlimit(pid, resource.RLIMIT_CPU, (0, 0))
be_good()
