/* A process has two names, and may change the short one. See notebooks/09_looking.ipynb. */
#include <stdio.h>
#include <sys/prctl.h>

static void show(const char *path) {
    char text[100];
    FILE *file = fopen(path, "r");
    fscanf(file, "%99[^\n]", text);
    fclose(file);
    printf("%s: '%s'\n", path, text);
}

int main(void) {
    prctl(PR_SET_NAME, "nginx-webserver-main");
    show("/proc/self/comm");    /* what ps -o comm shows */
    show("/proc/self/cmdline"); /* what ps -o args shows */
}
