/* What exec keeps and what it loses. See notebooks/03_something_else.ipynb. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(void) {
    printf("a text without an end of line");
    setenv("WORD", "kept", 1);
    if (chdir("/") == 0)
        execlp("sh", "sh", "-c", "echo $WORD; pwd -P", NULL);
}
