/*
 * C: locks, counts and unlocks for MS milliseconds, against others.
 *
 *     contended pthread MS             two and then four, with a robust mutex of pthread; prints JSON
 *     contended NAME MS                one of those that contended.ts starts; prints its rounds
 */

#define SHMKIT_IMPLEMENTATION
#include "../../interop/c/shmkit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

/* As contended.ts has it. */
typedef struct {
    shmkit_mutex lock;
    shmkit_event go;
    uint32_t ready;
    double count;
} ours;

typedef struct {
    pthread_mutex_t lock;
    uint32_t go;
    double count;
    uint64_t rounds;
} posix;

static void check(int good)
{
    if (good) return;
    perror("contended");
    exit(1);
}

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

static int take_part(const char *name, double ms)
{
    shmkit_participant me;
    uint64_t rounds = 0;
    check(shmkit_participant_attach(&me, name, 0, 0) == 0);
    ours *o = (ours *)shmkit_payload(&me);
    __atomic_add_fetch(&o->ready, 1, __ATOMIC_SEQ_CST);
    check(shmkit_event_wait(&me, &o->go, 60000) == 0);
    for (double end = now_ms() + ms; rounds % 64 != 0 || now_ms() < end; rounds++) {
        check(shmkit_mutex_lock(&me, &o->lock, SHMKIT_FOREVER) == 0);
        o->count++;
        check(shmkit_mutex_unlock(&me, &o->lock) == 0);
    }
    printf("%llu\n", (unsigned long long)rounds);
    return shmkit_participant_detach(&me) != 0;
}

static double all(int processes, double ms)
{
    pthread_mutexattr_t attributes;
    posix *p = (posix *)mmap(NULL, sizeof *p, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    check(p != MAP_FAILED && pthread_mutexattr_init(&attributes) == 0 &&
          pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED) == 0 &&
          pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST) == 0 &&
          pthread_mutex_init(&p->lock, &attributes) == 0);
    for (int i = 0; i < processes; i++) {
        if (fork() != 0) continue;
        uint64_t rounds = 0;
        while (__atomic_load_n(&p->go, __ATOMIC_SEQ_CST) == 0) usleep(1000);
        for (double end = now_ms() + ms; rounds % 64 != 0 || now_ms() < end; rounds++) {
            check(pthread_mutex_lock(&p->lock) == 0);
            p->count++;
            check(pthread_mutex_unlock(&p->lock) == 0);
        }
        __atomic_add_fetch(&p->rounds, rounds, __ATOMIC_SEQ_CST);
        exit(0);
    }
    __atomic_store_n(&p->go, 1, __ATOMIC_SEQ_CST);
    for (int status; wait(&status) > 0;) check(status == 0);
    check(p->count == (double)p->rounds);
    return ms * 1e6 / p->count;
}

int main(int argc, char **argv)
{
    if (argc != 3) return 2;
    double ms = atof(argv[2]);
    if (strcmp(argv[1], "pthread") != 0) return take_part(argv[1], ms);
    double two = all(2, ms);
    printf("{\"2 processes\":%f,\"4 processes\":%f}\n", two, all(4, ms));
    return 0;
}
