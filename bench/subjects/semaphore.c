// C: posting and taking a permit, in nanoseconds a pair.

#define _GNU_SOURCE
#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 5000000

int main(void)
{
    char name[64];
    snprintf(name, sizeof name, "/shmkit-bench-%d", getpid());
    sem_t *semaphore = sem_open(name, O_CREAT | O_EXCL, 0600, 0);
    if (semaphore == SEM_FAILED) return 1;
    sem_unlink(name);
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (int round = 0; round < ROUNDS; round++) {
        sem_post(semaphore);
        if (sem_trywait(semaphore) != 0) return 1;
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    double ns = (end.tv_sec - start.tv_sec) * 1e9 + (end.tv_nsec - start.tv_nsec);
    printf("{\"post and tryWait\": %f}\n", ns / ROUNDS);
    return 0;
}
