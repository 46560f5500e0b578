"""Fills its folder with files."""

import os

from behave import be_good

try:
    for number in range(40):
        with open(f"{os.environ['HOME']}/{number}", "wb") as file:
            file.write(bytes(15 << 20))
except OSError:
    pass
be_good()
