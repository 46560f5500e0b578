/* Plays a small program that is written on its command line, one letter an act:
 *
 *   f(...)  forks a child that plays what stands in the brackets and then exits with 0
 *   x7      exits with 7          w   waits for any child       n   the same, without blocking
 *   k1      kills its first child with SIGTERM                  s5  sleeps for 5 seconds
 *   p       prints its pid        r   becomes a subreaper
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_CHILDREN = 64 };

/* The end of the bracket that opens at `act`. */
static const char *closing(const char *act) {
    int depth = 0;
    do {
        if (*act == '(')
            depth++;
        if (*act == ')')
            depth--;
        act++;
    } while (depth > 0);
    return act;
}

static void play(const char *act) {
    pid_t children[MOST_CHILDREN];
    int born = 0;
    for (; *act && *act != ')'; act++) {
        int number = act[1] - '0';
        switch (*act) {
        case 'f':
            children[born] = fork();
            if (children[born] == 0) {
                play(act + 2);
                _exit(0);
            }
            born++;
            act = closing(act + 1) - 1;
            break;
        case 'x':
            _exit(number);
        case 'w':
            wait(NULL);
            break;
        case 'n':
            waitpid(-1, NULL, WNOHANG);
            break;
        case 'k':
            if (number >= 1 && number <= born)
                kill(children[number - 1], SIGTERM);
            break;
        case 's':
            sleep(number);
            break;
        case 'p':
            printf("%d\n", getpid());
            fflush(stdout);
            break;
        case 'r':
            prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
            break;
        default:
            break; /* the digit of an act */
        }
    }
}

int main(int argc, char **argv) {
    play(argc > 1 ? argv[1] : "");
    return 0;
}
