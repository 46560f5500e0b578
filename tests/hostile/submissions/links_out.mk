# A program that is a link to what the grader can read.
include target.mk

init:
	ln -s $(CANARY_FILE) init
