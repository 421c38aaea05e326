/* The same as kinds.ts, with the C library alone. */

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 3000
#define SIZE 65536

static int kept, growing;
static unsigned char *bytes;

static void check(int good, const char *what)
{
    if (good) return;
    perror(what);
    exit(1);
}

static void *map(int fd, size_t size, off_t offset)
{
    void *start = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);
    check(start != MAP_FAILED, "mmap");
    return start;
}

static void created(void)
{
    int id = shmget(IPC_PRIVATE, SIZE, IPC_CREAT | 0600);
    unsigned char *start = shmat(id, NULL, 0);
    check(id >= 0 && start != (void *)-1 && shmctl(id, IPC_RMID, NULL) == 0, "shmget");
    start[0] = 1;
    shmdt(start);
}

static void attached(void)
{
    unsigned char *start = shmat(kept, NULL, 0);
    check(start != (void *)-1 && start[0] == 1, "shmat");
    shmdt(start);
}

static void anonymous(void)
{
    int fd = memfd_create("bench", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    check(fd >= 0 && fallocate(fd, 0, 0, SIZE) == 0, "memfd_create");
    unsigned char *start = map(fd, SIZE, 0);
    start[0] = 1;
    munmap(start, SIZE);
    close(fd);
}

static void resize(size_t from, size_t to)
{
    check(to < from ? ftruncate(growing, (off_t)to) == 0 : fallocate(growing, 0, 0, (off_t)to) == 0,
          "resize");
    munmap(bytes, from);
    bytes = map(growing, to, 0);
}

static void resized(void)
{
    resize(SIZE, 2 * SIZE);
    bytes[SIZE] = 1;
    resize(2 * SIZE, SIZE);
}

static void windowed(void)
{
    unsigned char *start = map(growing, 4096, 4096);
    start[0] = 1;
    munmap(start, 4096);
}

static double time_us(void (*body)(void))
{
    struct timespec from, to;
    for (int i = 0; i < 200; i++) body();
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (int i = 0; i < ROUNDS; i++) body();
    clock_gettime(CLOCK_MONOTONIC, &to);
    return ((to.tv_sec - from.tv_sec) * 1e9 + (to.tv_nsec - from.tv_nsec)) / ROUNDS / 1e3;
}

int main(void)
{
    double create = time_us(created);
    kept = shmget(IPC_PRIVATE, SIZE, IPC_CREAT | 0600);
    unsigned char *start = shmat(kept, NULL, 0);
    check(kept >= 0 && start != (void *)-1 && shmctl(kept, IPC_RMID, NULL) == 0, "shmget");
    start[0] = 1;
    double attach = time_us(attached), anonymous_us = time_us(anonymous);
    growing = memfd_create("bench", MFD_CLOEXEC);
    check(growing >= 0 && fallocate(growing, 0, 0, SIZE) == 0, "memfd_create");
    bytes = map(growing, SIZE, 0);
    double resize_us = time_us(resized);
    printf("{\"System V: create, remove\":%f,\"System V: open, close\":%f,"
           "\"anonymous: create, close\":%f,\"grow and shrink\":%f,\"window\":%f}\n",
           create, attach, anonymous_us, resize_us, time_us(windowed));
    return 0;
}
