/* The same pipe, and nobody keeps an end for nothing. See notebooks/10_which_outputs.ipynb. */
#include <stdio.h>
#include <unistd.h>

int main(void) {
    int ends[2];
    char letter;
    pipe(ends);
    for (char mine = 'a'; mine <= 'b'; mine++)
        if (fork() == 0) {
            write(ends[1], &mine, 1);
            return 0;
        }
    close(ends[1]);
    while (read(ends[0], &letter, 1) == 1)
        printf("%c\n", letter);
    puts("end");
}
