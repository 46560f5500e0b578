"""Sends datagrams to sockets of this machine: whom they are for stands in memory, where no filter sees it."""

import socket

import target
from behave import be_good, unless_refused

for address in ("\0" + target.ABSTRACT_DATAGRAMS, target.DATAGRAMS):
    with unless_refused():
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"hello", address)
    with unless_refused():
        socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)[0].sendto(b"hello", address)
be_good()
