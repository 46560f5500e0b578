"""Connects to an abstract socket, which no file system hides."""

import socket

import target
from behave import be_good, unless_refused

with unless_refused():
    socket.socket(socket.AF_UNIX).connect("\0" + target.ABSTRACT)
be_good()
