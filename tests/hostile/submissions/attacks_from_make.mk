# Kills, reads and deletes while it is built, and then builds a correct init.
include target.mk

init:
	-kill -KILL $(CANARY)
	! cat $(CANARY_FILE)
	! cat $(SOLUTION)
	! echo changed >>$(CANARY_FILE)
	-rm -rf $(CANARY_FOLDER)
	cc -o init -x c good.txt
