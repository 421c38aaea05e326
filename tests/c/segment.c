// Usage: segment create|verify SEED NAME:SIZE...
// Makes and fills segments, or compares them with what a writer is expected to have left: the same
// as tests/peers/segment.ts, with the C library alone.

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static unsigned char byte_at(size_t position, unsigned seed)
{
    return (unsigned char)(position * 31 + seed);
}

static size_t next_position(size_t position, size_t size)
{
    size_t next = position + (size <= 65536 ? 1 : 65521);
    return next < size || position == size - 1 ? next : size - 1;
}

static void fail(const char *what, const char *name)
{
    fprintf(stderr, "%s %s: ", what, name);
    perror("");
    exit(1);
}

static unsigned char *map(const char *name, int flags, size_t *size)
{
    int fd = shm_open(name, flags, 0600);
    if (fd < 0) fail("shm_open", name);
    if (flags & O_CREAT && ftruncate(fd, (off_t)*size) < 0) fail("ftruncate", name);
    struct stat status;
    if (fstat(fd, &status) < 0) fail("fstat", name);
    *size = (size_t)status.st_size;
    void *bytes = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (bytes == MAP_FAILED) fail("mmap", name);
    close(fd);
    return bytes;
}

int main(int argc, char **argv)
{
    unsigned seed = (unsigned)atoi(argv[2]);
    int create = strcmp(argv[1], "create") == 0;
    for (int i = 3; i < argc; i++) {
        char *colon = strchr(argv[i], ':');
        *colon = '\0';
        char name[256];
        snprintf(name, sizeof name, "/%s", argv[i]);
        size_t size = strtoull(colon + 1, NULL, 10), mismatches = 0;
        unsigned char *bytes = map(name, create ? O_RDWR | O_CREAT | O_EXCL : O_RDWR, &size);
        for (size_t at = 0; at < size; at = next_position(at, size)) {
            if (create)
                bytes[at] = byte_at(at, seed);
            else
                mismatches += bytes[at] != byte_at(at, seed);
        }
        munmap(bytes, size);
        if (!create) printf("%s %zu %zu\n", argv[i], size, mismatches);
    }
    return 0;
}
