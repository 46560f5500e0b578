/* Connects to the grader again and again, and says nothing. */
#include "behave.h"

int main(int count, char **arguments) {
    (void)count;
    for (int i = 0; i < 3000; i++)
        close(connect_to_judge(arguments[1]));
    for (int i = 0; i < 200; i++)
        connect_to_judge(arguments[1]);
    return be_good(arguments);
}
