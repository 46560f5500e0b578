/* Thousands of schedules, and few outputs. See notebooks/10_which_outputs.ipynb. */
#include <stdio.h>
#include <unistd.h>

int main(void) {
    fork();
    puts("one");
    fork();
    puts("two");
}
