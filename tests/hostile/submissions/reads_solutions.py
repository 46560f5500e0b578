"""Looks for the solution, for the scenarios and at whatever else the grader has."""

import target
from behave import be_good, unless_refused

for path in (target.CANARY_FILE, target.SOLUTION, target.SCENARIO, "/etc/passwd", "/root/.bashrc"):
    with unless_refused():
        open(path).close()
be_good()
