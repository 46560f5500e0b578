"""Connects to a server of this machine, by its path and by its abstract name."""

import socket

import target
from behave import be_good, unless_refused

for address in (target.SERVER, "\0" + target.ABSTRACT):
    with unless_refused():
        socket.socket(socket.AF_UNIX).connect(address)
be_good()
