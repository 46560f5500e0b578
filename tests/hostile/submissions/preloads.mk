# Has the dynamic linker put a library into its command.
init:
	printf '#include <unistd.h>\n__attribute__((constructor)) void f(void) { _exit(99); }\n' >evil.txt
	cc -shared -fPIC -o evil.so -x c evil.txt
	cc -DPRELOAD='"./evil.so"' -o init -x c good.txt
