/* Executes itself with more and more arguments before it begins. */
#include "behave.h"

static char word[100000];

int main(int count, char **arguments) {
    (void)count;
    char *longer[2000] = {arguments[0]};
    memset(word, 'x', sizeof word - 1);
    int ballast = 0;
    while (ballast + 1 < count && arguments[1 + ballast][0] == 'x')
        ballast++;
    if (ballast >= 15)
        return be_good(arguments + ballast);
    for (int i = 0; i <= ballast; i++)
        longer[1 + i] = word;
    memcpy(longer + ballast + 2, arguments + 1 + ballast,
           (size_t)(count - ballast) * sizeof *arguments);
    execv(longer[0], longer);
    return 98;
}
