/*
 * C: a round trip of two processes, in microseconds: each sleeps until the other wakes it; both on one
 * processor, and each on its own. Without arguments over two semaphores of POSIX; with NAME, an object
 * that wakeups.ts has made, over two events of interop/c/shmkit.h.
 */

#define _GNU_SOURCE
#define SHMKIT_IMPLEMENTATION
#include "../../interop/c/shmkit.h"

#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#define ROUNDS 2000
#define PASSES 11

typedef struct {
    shmkit_auto_reset_event ping, pong;
} ours;

static sem_t *semaphores;
static ours *events;
static shmkit_participant me;

static void check(int good)
{
    if (good) return;
    perror("wakeups");
    exit(1);
}

static void trip(int answers)
{
    check(answers || sem_post(&semaphores[0]) == 0);
    check(sem_wait(&semaphores[!answers]) == 0);
    check(!answers || sem_post(&semaphores[1]) == 0);
}

static void our_trip(int answers)
{
    check(answers || shmkit_auto_reset_event_set(&me, &events->ping) == 0);
    check(shmkit_auto_reset_event_wait(&me, answers ? &events->ping : &events->pong, 10000) == 0);
    check(!answers || shmkit_auto_reset_event_set(&me, &events->pong) == 0);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void pin(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    check(sched_setaffinity(0, sizeof set, &set) == 0);
}

static double round_trip(int argc, char **argv, int is_apart)
{
    void (*body)(int) = argc > 1 ? our_trip : trip;
    double passes[PASSES];
    int status;
    pid_t child;
    semaphores = (sem_t *)mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    check(semaphores != MAP_FAILED && sem_init(&semaphores[0], 1, 0) == 0 &&
          sem_init(&semaphores[1], 1, 0) == 0);
    child = fork();
    check(child >= 0);
    pin(child == 0 && is_apart);
    if (argc > 1) {
        check(shmkit_participant_attach(&me, argv[1], 0, 0) == 0);
        events = (ours *)shmkit_payload(&me);
    }
    if (child == 0) {
        for (int i = 0; i < (PASSES + 1) * ROUNDS; i++) body(1);
        exit(0);
    }
    for (int pass = -1; pass < PASSES; pass++) {
        struct timespec from, to;
        clock_gettime(CLOCK_MONOTONIC, &from);
        for (int i = 0; i < ROUNDS; i++) body(0);
        clock_gettime(CLOCK_MONOTONIC, &to);
        if (pass < 0) continue;
        passes[pass] = ((to.tv_sec - from.tv_sec) * 1e9 + (to.tv_nsec - from.tv_nsec)) / ROUNDS / 1e3;
    }
    check(waitpid(child, &status, 0) == child && status == 0);
    if (argc > 1) shmkit_participant_detach(&me);
    qsort(passes, PASSES, sizeof *passes, compare);
    return passes[PASSES / 2];
}

int main(int argc, char **argv)
{
    double together = round_trip(argc, argv, 0);
    printf("{\"threads, one CPU\":%f,\"threads, two CPUs\":%f}\n", together, round_trip(argc, argv, 1));
    return 0;
}
