#!/bin/sh
# Sends signals to every process id that there may be, from a shell.
kill -KILL -1 2>/dev/null
pid=2
while [ $pid -lt 3000 ]; do kill -KILL $pid 2>/dev/null; pid=$((pid + 1)); done
exit 3
