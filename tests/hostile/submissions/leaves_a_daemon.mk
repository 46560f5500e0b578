# A build that leaves a process behind, to change the program later.
init:
	cc -o init -x c good.txt
	setsid sleep 1000 >/dev/null 2>&1 &
