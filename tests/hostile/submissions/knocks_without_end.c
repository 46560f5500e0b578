/* Calls connect(2) again and again, in eight processes, so that the judge has nothing else to do.
 */
#include "behave.h"

int main(int count, char **arguments) {
    (void)count;
    for (int i = 0; i < 8; i++)
        if (fork() == 0)
            for (;;)
                close(connect_to_judge("/nowhere/actor"));
    return be_good(arguments);
}
