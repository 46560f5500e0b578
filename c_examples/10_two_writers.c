/* A pipe ends when nobody can write into it any more. See notebooks/10_which_outputs.ipynb. */
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
    while (read(ends[0], &letter, 1) == 1)
        printf("%c\n", letter);
    puts("end");
}
