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

#define access(...) (noise(), access(__VA_ARGS__))
#define chdir(...) (noise(), chdir(__VA_ARGS__))
#define chmod(...) (noise(), chmod(__VA_ARGS__))
#define close(...) (noise(), close(__VA_ARGS__))
#define dup(...) (noise(), dup(__VA_ARGS__))
#define epoll_ctl(...) (noise(), epoll_ctl(__VA_ARGS__))
#define epoll_wait(...) (noise(), epoll_wait(__VA_ARGS__))
#define fcntl(...) (noise(), fcntl(__VA_ARGS__))
#define flock(...) (noise(), flock(__VA_ARGS__))
#define fork(...) (noise(), fork(__VA_ARGS__))
#define ftruncate(...) (noise(), ftruncate(__VA_ARGS__))
#define getcwd(...) (noise(), getcwd(__VA_ARGS__))
#define getpgid(...) (noise(), getpgid(__VA_ARGS__))
#define getppid(...) (noise(), getppid(__VA_ARGS__))
#define getpriority(...) (noise(), getpriority(__VA_ARGS__))
#define kill(...) (noise(), kill(__VA_ARGS__))
#define link(...) (noise(), link(__VA_ARGS__))
#define lseek(...) (noise(), lseek(__VA_ARGS__))
#define mkdir(...) (noise(), mkdir(__VA_ARGS__))
#define mkfifo(...) (noise(), mkfifo(__VA_ARGS__))
#define mq_close(...) (noise(), mq_close(__VA_ARGS__))
#define mq_getattr(...) (noise(), mq_getattr(__VA_ARGS__))
#define mq_receive(...) (noise(), mq_receive(__VA_ARGS__))
#define mq_send(...) (noise(), mq_send(__VA_ARGS__))
#define mq_setattr(...) (noise(), mq_setattr(__VA_ARGS__))
#define msgrcv(...) (noise(), msgrcv(__VA_ARGS__))
#define msgsnd(...) (noise(), msgsnd(__VA_ARGS__))
#define open(...) (noise(), open(__VA_ARGS__))
#define pause(...) (noise(), pause(__VA_ARGS__))
#define poll(...) (noise(), poll(__VA_ARGS__))
#define raise(...) (noise(), raise(__VA_ARGS__))
#define read(...) (noise(), read(__VA_ARGS__))
#define recv(...) (noise(), recv(__VA_ARGS__))
#define rename(...) (noise(), rename(__VA_ARGS__))
#define rmdir(...) (noise(), rmdir(__VA_ARGS__))
#define select(...) (noise(), select(__VA_ARGS__))
#define sem_getvalue(...) (noise(), sem_getvalue(__VA_ARGS__))
#define sem_open(...) (noise(), sem_open(__VA_ARGS__))
#define sem_post(...) (noise(), sem_post(__VA_ARGS__))
#define sem_timedwait(...) (noise(), sem_timedwait(__VA_ARGS__))
#define sem_trywait(...) (noise(), sem_trywait(__VA_ARGS__))
#define sem_unlink(...) (noise(), sem_unlink(__VA_ARGS__))
#define sem_wait(...) (noise(), sem_wait(__VA_ARGS__))
#define semctl(...) (noise(), semctl(__VA_ARGS__))
#define semop(...) (noise(), semop(__VA_ARGS__))
#define send(...) (noise(), send(__VA_ARGS__))
#define sendmsg(...) (noise(), sendmsg(__VA_ARGS__))
#define setpgid(...) (noise(), setpgid(__VA_ARGS__))
#define setpriority(...) (noise(), setpriority(__VA_ARGS__))
#define shutdown(...) (noise(), shutdown(__VA_ARGS__))
#define signal(...) (noise(), signal(__VA_ARGS__))
#define sigprocmask(...) (noise(), sigprocmask(__VA_ARGS__))
#define stat(...) (noise(), stat(__VA_ARGS__))
#define symlink(...) (noise(), symlink(__VA_ARGS__))
#define truncate(...) (noise(), truncate(__VA_ARGS__))
#define unlink(...) (noise(), unlink(__VA_ARGS__))
#define wait(...) (noise(), wait(__VA_ARGS__))
#define waitpid(...) (noise(), waitpid(__VA_ARGS__))
#define write(...) (noise(), write(__VA_ARGS__))
#define _exit(...) (noise(), _exit(__VA_ARGS__))
