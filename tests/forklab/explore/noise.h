/* Makes each run of a program go another way: before each call it yields, computes or sleeps for a
 * moment, by chance. To be included after the headers of the calls. */
#include <sched.h>

static unsigned long noise_state;

static void noise(void) {
    struct timespec moment;
    if (noise_state == 0) {
        clock_gettime(CLOCK_MONOTONIC, &moment);
        noise_state = (unsigned long)moment.tv_nsec + 1;
    }
    noise_state += (unsigned long)getpid(); /* a child goes its own way */
    noise_state = noise_state * 6364136223846793005u + 1442695040888963407u;
    unsigned long chance = noise_state >> 33;
    moment = (struct timespec){0, (long)(chance % 400000)};
    switch (chance % 4) {
    case 0:
        sched_yield();
        break;
    case 1:
        nanosleep(&moment, NULL);
        break;
    case 2:
        for (volatile long count = moment.tv_nsec / 10; count > 0; count--)
            ;
        break;
    }
}

#define close(...) (noise(), close(__VA_ARGS__))
#define fork() (noise(), fork())
#define getppid() (noise(), getppid())
#define kill(...) (noise(), kill(__VA_ARGS__))
#define pause() (noise(), pause())
#define raise(...) (noise(), raise(__VA_ARGS__))
#define read(...) (noise(), read(__VA_ARGS__))
#define sem_getvalue(...) (noise(), sem_getvalue(__VA_ARGS__))
#define sem_open(...) (noise(), sem_open(__VA_ARGS__))
#define sem_post(...) (noise(), sem_post(__VA_ARGS__))
#define sem_timedwait(...) (noise(), sem_timedwait(__VA_ARGS__))
#define sem_trywait(...) (noise(), sem_trywait(__VA_ARGS__))
#define sem_unlink(...) (noise(), sem_unlink(__VA_ARGS__))
#define sem_wait(...) (noise(), sem_wait(__VA_ARGS__))
#define signal(...) (noise(), signal(__VA_ARGS__))
#define sigprocmask(...) (noise(), sigprocmask(__VA_ARGS__))
#define wait(...) (noise(), wait(__VA_ARGS__))
#define waitpid(...) (noise(), waitpid(__VA_ARGS__))
#define write(...) (noise(), write(__VA_ARGS__))
#define _exit(...) (noise(), _exit(__VA_ARGS__))
