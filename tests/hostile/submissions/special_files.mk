# Pipes, and set-uid programs, beside a correct init.
init:
	cc -o init -x c good.txt
	mkfifo pipe; cp init root; chmod 6777 root init
