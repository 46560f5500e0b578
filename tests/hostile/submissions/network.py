"""Connects to a server of this machine, by TCP and UDP."""

import socket

import target
from behave import be_good, unless_refused

for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
    with unless_refused():
        socket.socket(socket.AF_INET, kind).connect(("127.0.0.1", target.PORT))
with unless_refused():
    socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)
be_good()
