/* Starts the actor program under the names that the script will use. */
#include "behave.h"

int main(int count, char **arguments) {
    (void)count;
    static char *const names[] = {"worker", "child", "main"};
    for (int i = 0; i < 2; i++)
        if (fork() == 0)
            execv(arguments[1], (char *[]){arguments[1], names[i], NULL});
    return be_good(arguments);
}
