/*
 * C: locking and unlocking what nobody else wants, in nanoseconds a pair. Without arguments with
 * pthread and semaphore.h; with NAME, an object that locks.ts has made, with interop/c/shmkit.h.
 *
 * The figures have the names of those in locks.ts that they are compared with.
 */

#define SHMKIT_IMPLEMENTATION
#include "../../interop/c/shmkit.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#define ROUNDS 5000
#define PASSES 501

/* What lies in shared memory, of pthread. */
typedef struct {
    pthread_mutex_t mutex;
    pthread_rwlock_t rwlock;
    sem_t semaphore;
} posix;

/* As locks.ts has it. */
typedef struct {
    shmkit_mutex lock;
    shmkit_event event;
    shmkit_auto_reset_event automatic;
} ours;

static posix *p;
static ours *o;
static shmkit_participant me;

static void check(int good)
{
    if (good) return;
    perror("locks");
    exit(1);
}

static void mutex(void)
{
    check(pthread_mutex_lock(&p->mutex) == 0 && pthread_mutex_unlock(&p->mutex) == 0);
}

static void try_mutex(void)
{
    check(pthread_mutex_trylock(&p->mutex) == 0 && pthread_mutex_unlock(&p->mutex) == 0);
}

static void share(void)
{
    check(pthread_rwlock_rdlock(&p->rwlock) == 0 && pthread_rwlock_unlock(&p->rwlock) == 0);
}

static void exclude(void)
{
    check(pthread_rwlock_wrlock(&p->rwlock) == 0 && pthread_rwlock_unlock(&p->rwlock) == 0);
}

static void permit(void)
{
    check(sem_wait(&p->semaphore) == 0 && sem_post(&p->semaphore) == 0);
}

static void our_mutex(void)
{
    check(shmkit_mutex_lock(&me, &o->lock, SHMKIT_FOREVER) == 0 &&
          shmkit_mutex_unlock(&me, &o->lock) == 0);
}

static void our_try(void)
{
    check(shmkit_mutex_trylock(&me, &o->lock) == 0 && shmkit_mutex_unlock(&me, &o->lock) == 0);
}

static void our_event(void)
{
    check(shmkit_event_set(&me, &o->event) == 0 && shmkit_event_reset(&me, &o->event) == 0);
}

static void our_automatic(void)
{
    check(shmkit_auto_reset_event_set(&me, &o->automatic) == 0 &&
          shmkit_auto_reset_event_wait(&me, &o->automatic, 0) == 0);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The median of passes that are short, so that few are interrupted. */
static double ns(void (*body)(void))
{
    double passes[PASSES];
    for (int pass = 0; pass < PASSES; pass++) {
        struct timespec from, to;
        clock_gettime(CLOCK_MONOTONIC, &from);
        for (int i = 0; i < ROUNDS; i++) body();
        clock_gettime(CLOCK_MONOTONIC, &to);
        passes[pass] = ((to.tv_sec - from.tv_sec) * 1e9 + (to.tv_nsec - from.tv_nsec)) / ROUNDS;
    }
    qsort(passes, PASSES, sizeof *passes, compare);
    return passes[PASSES / 2];
}

static void make(void)
{
    pthread_mutexattr_t attributes;
    pthread_rwlockattr_t others;
    p = (posix *)mmap(NULL, sizeof *p, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    check(p != MAP_FAILED && pthread_mutexattr_init(&attributes) == 0 &&
          pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED) == 0 &&
          pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST) == 0 &&
          pthread_mutex_init(&p->mutex, &attributes) == 0);
    check(pthread_rwlockattr_init(&others) == 0 &&
          pthread_rwlockattr_setpshared(&others, PTHREAD_PROCESS_SHARED) == 0 &&
          pthread_rwlock_init(&p->rwlock, &others) == 0 && sem_init(&p->semaphore, 1, 4) == 0);
}

int main(int argc, char **argv)
{
    double lock;
    if (argc > 1) {
        check(shmkit_participant_attach(&me, argv[1], 0, 0) == 0 &&
              shmkit_payload_size(&me) >= sizeof *o);
        o = (ours *)shmkit_payload(&me);
        lock = ns(our_mutex);
        printf("{\"mutex: lock, release\":%f,\"mutex: using\":%f,\"mutex: withLock\":%f,"
               "\"mutex: tryLock, release\":%f,\"event: set, reset\":%f,"
               "\"automatic: set, tryWait\":%f}\n",
               lock, lock, lock, ns(our_try), ns(our_event), ns(our_automatic));
        return shmkit_participant_detach(&me) != 0;
    }
    make();
    lock = ns(mutex);
    printf("{\"mutex: lock, release\":%f,\"mutex: using\":%f,\"mutex: withLock\":%f,"
           "\"mutex: tryLock, release\":%f,\"rwlock: shared\":%f,\"rwlock: exclusive\":%f,"
           "\"semaphore: acquire, release\":%f}\n",
           lock, lock, lock, ns(try_mutex), ns(share), ns(exclude), ns(permit));
    return 0;
}
