// Usage: segment create|fill|verify SEED NAME:SIZE...
// Makes and fills segments, fills those that exist, or compares them with what a writer is expected
// to have left: the same as tests/peers/segment.ts, with the C library alone. A NAME that starts with
// 0x is a System V key, one with a slash the path of a file.

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
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

static void *map_file(const char *name, int create, int writable, size_t *size)
{
    int flags = (writable ? O_RDWR : O_RDONLY) | (create ? O_CREAT | O_EXCL : 0);
    int is_path = strchr(name, '/') != NULL;
    int fd = is_path ? open(name, flags, 0600) : shm_open(name, flags, 0600);
    if (fd < 0) fail("open", name);
    if (create && ftruncate(fd, (off_t)*size) < 0) fail("ftruncate", name);
    struct stat status;
    if (fstat(fd, &status) < 0) fail("fstat", name);
    *size = (size_t)status.st_size;
    void *bytes = mmap(NULL, *size, PROT_READ | (writable ? PROT_WRITE : 0), MAP_SHARED, fd, 0);
    if (bytes == MAP_FAILED) fail("mmap", name);
    close(fd);
    return bytes;
}

static void *attach(const char *name, int create, int writable, size_t *size)
{
    key_t key = (key_t)strtoul(name, NULL, 16);
    int id = shmget(key, create ? *size : 0, create ? IPC_CREAT | IPC_EXCL | 0600 : 0);
    if (id < 0) fail("shmget", name);
    void *bytes = shmat(id, NULL, writable ? 0 : SHM_RDONLY);
    if (bytes == (void *)-1) fail("shmat", name);
    struct shmid_ds status;
    if (shmctl(id, IPC_STAT, &status) < 0) fail("shmctl", name);
    *size = status.shm_segsz;
    return bytes;
}

int main(int argc, char **argv)
{
    unsigned seed = (unsigned)atoi(argv[2]);
    int create = strcmp(argv[1], "create") == 0, writable = strcmp(argv[1], "verify") != 0;
    for (int i = 3; i < argc; i++) {
        char *colon = strchr(argv[i], ':');
        *colon = '\0';
        const char *name = argv[i];
        size_t size = strtoull(colon + 1, NULL, 10), mismatches = 0;
        int is_key = strncmp(name, "0x", 2) == 0;
        unsigned char *bytes = (is_key ? attach : map_file)(name, create, writable, &size);
        for (size_t at = 0; at < size; at = next_position(at, size)) {
            if (writable)
                bytes[at] = byte_at(at, seed);
            else
                mismatches += bytes[at] != byte_at(at, seed);
        }
        if (is_key) shmdt(bytes);
        else munmap(bytes, size);
        if (!writable) printf("%s %zu %zu\n", name, size, mismatches);
    }
    return 0;
}
