"""Makes more files than anybody can count."""

import os

from behave import be_good

try:
    for number in range(40000):
        os.close(os.open(f"{os.environ['HOME']}/{number}", os.O_CREAT))
except OSError:
    pass
be_good()
