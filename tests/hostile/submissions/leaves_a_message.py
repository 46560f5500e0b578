"""Leaves a file for its next play."""

import os

from behave import be_good

os.close(os.open(os.environ["HOME"] + "/message", os.O_CREAT | os.O_EXCL))
be_good()
