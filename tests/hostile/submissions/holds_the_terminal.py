"""Takes the terminal for itself, and does not give it back."""

import os
import signal

from behave import be_good

if os.isatty(0):
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    holder = os.fork()
    if holder == 0:
        os.setpgid(0, 0)
        os.tcsetpgrp(0, os.getpid())
        while True:
            signal.pause()
be_good()
