// Reads the messages of a writer, and prints them: reader.ts in C.

#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "pair.h"

static int fail(const char *call)
{
    perror(call);
    return EXIT_FAILURE;
}

/// Waits until there is a segment, of its full size.
static int wait_for(const char *name)
{
    while (1) {
        int fd = shm_open(name, O_RDWR, 0);
        struct stat status;
        if (fd < 0 && errno != ENOENT) return fd;
        if (fd >= 0 && fstat(fd, &status) == 0 && status.st_size >= (off_t)sizeof(struct ring)) {
            return fd;
        }
        if (fd >= 0) close(fd);
        usleep(10000);
    }
}

/// Takes a permit, and waits for it for five seconds. A signal that is handled ends sem_timedwait().
static int take(sem_t *semaphore)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 5;
    int result;
    while ((result = sem_timedwait(semaphore, &until)) < 0 && errno == EINTR) {}
    return result;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "shmkit-pair";
    char names[3][256];
    snprintf(names[0], sizeof names[0], "/%s", name);
    snprintf(names[1], sizeof names[1], "/%s-free", name);
    snprintf(names[2], sizeof names[2], "/%s-full", name);

    int fd = wait_for(names[0]);
    if (fd < 0) return fail("shm_open");
    struct ring *ring = mmap(NULL, sizeof *ring, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (ring == MAP_FAILED) return fail("mmap");
    sem_t *free = sem_open(names[1], 0);
    sem_t *full = sem_open(names[2], 0);
    if (free == SEM_FAILED || full == SEM_FAILED) return fail("sem_open");

    while (take(full) == 0) {
        uint32_t taken = atomic_load(&ring->taken);
        if (taken == atomic_load(&ring->written)) { // pairs with the addition of the writer
            fprintf(stderr, "somebody else has read the message\n");
            return EXIT_FAILURE;
        }
        char message[TEXT_BYTES + 1];
        snprintf(message, sizeof message, "%.*s", TEXT_BYTES, ring->messages[taken % SLOTS]);
        atomic_fetch_add(&ring->taken, 1);
        sem_post(free);
        if (message[0] == '\0') return EXIT_SUCCESS;
        puts(message);
        usleep(20000); // so that the writer has to wait
    }
    if (errno != ETIMEDOUT) return fail("sem_timedwait");
    puts("nobody writes");
    return EXIT_FAILURE;
}
