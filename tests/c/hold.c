// Usage: hold WHAT...
// Gets hold of shared memory, prints a line for each, and keeps it until its standard input ends:
//   create:NAME:SIZE   a POSIX segment, made and mapped; its descriptor stays open
//   map:NAME           a POSIX segment, mapped, and its descriptor closed
//   open:PATH          a file, opened and not mapped
//   file:PATH          a file, mapped, and its descriptor closed
//   huge:LABEL         a memfd of huge pages, which need not exist: it is not mapped
//   unlink:NAME        removes a name
//   semaphore:NAME     a POSIX semaphore, made with the value 5
//   systemv:KEY:SIZE   a System V segment, made and attached; prints its id. KEY 0 is private
//   attach:ID          a System V segment that exists, attached twice, once only for reading
//   remove:ID          removes a System V segment
//   lock:ID            keeps a System V segment out of swap
//   memfd:LABEL:SIZE   a memfd, mapped; its descriptor stays open, and is printed
//   mapped:LABEL:SIZE  the same, its descriptor closed
//   collide            a memfd of a page and a System V segment of two, whose id is the memfd's inode;
//                      prints it. Only in a new IPC namespace
//   anonymous:SIZE     shared memory without a file
//   undumpable         from now on nobody else may look in
//   thread             the first thread ends, another one goes on
// A name may have %xx for any byte, as it must for a colon.

#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <unistd.h>

static void check(int good, const char *what)
{
    if (good) return;
    perror(what);
    exit(1);
}

static void decode(char *text)
{
    char *to = text;
    for (; *text != '\0'; text++) {
        unsigned byte;
        if (*text == '%' && sscanf(text + 1, "%2x", &byte) == 1) {
            *to++ = (char)byte;
            text += 2;
        } else {
            *to++ = *text;
        }
    }
    *to = '\0';
}

static void map(int fd, size_t size)
{
    int flags = MAP_SHARED | (fd < 0 ? MAP_ANONYMOUS : 0);
    char *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);
    check(bytes != MAP_FAILED, "mmap");
    if (size > 0) bytes[0] = 1;
}

/* Ids count up to 63, and then on from the next multiple of 32768; inodes of memfds just count. */
static int collide(void)
{
    struct stat status;
    while (1) {
        int fd = memfd_create("SYSV00000000", 0);
        check(fd >= 0 && fstat(fd, &status) == 0 && ftruncate(fd, 4096) == 0, "memfd_create");
        if ((status.st_ino & 32767) < 60) {
            map(fd, 4096);
            break;
        }
        close(fd);
    }
    while (1) {
        int id = shmget(IPC_PRIVATE, 8192, IPC_CREAT | 0600);
        check(id >= 0, "shmget");
        if ((ino_t)id == status.st_ino) {
            check(shmat(id, NULL, 0) != (void *)-1, "shmat");
            return id;
        }
        check((ino_t)id < status.st_ino, "an id that is the inode");
        check(shmctl(id, IPC_RMID, NULL) == 0, "shmctl");
    }
}

static void *wait_for_end(void *unused)
{
    (void)unused;
    while (getchar() != EOF) {}
    exit(0);
}

static void hold(const char *verb, char *name, const char *number)
{
    size_t size = number == NULL ? 0 : strtoull(number, NULL, 10);
    int id = atoi(name);
    if (strcmp(verb, "create") == 0) {
        int fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0640);
        check(fd >= 0 && ftruncate(fd, (off_t)size) == 0, "shm_open");
        map(fd, size);
    } else if (strcmp(verb, "map") == 0) {
        int fd = shm_open(name, O_RDWR, 0);
        check(fd >= 0, "shm_open");
        map(fd, 4096);
        close(fd);
    } else if (strcmp(verb, "open") == 0) {
        check(open(name, O_RDONLY | O_NONBLOCK) >= 0, "open");
    } else if (strcmp(verb, "file") == 0) {
        int fd = open(name, O_RDWR);
        check(fd >= 0, "open");
        map(fd, 4096);
        close(fd);
    } else if (strcmp(verb, "huge") == 0) {
        check(memfd_create(name, MFD_HUGETLB) >= 0, "memfd_create");
    } else if (strcmp(verb, "unlink") == 0) {
        check(shm_unlink(name) == 0, "shm_unlink");
    } else if (strcmp(verb, "semaphore") == 0) {
        check(sem_open(name, O_CREAT | O_EXCL, 0640, 5) != SEM_FAILED, "sem_open");
    } else if (strcmp(verb, "systemv") == 0) {
        key_t key = (key_t)strtoul(name, NULL, 0);
        id = shmget(key, size, IPC_CREAT | IPC_EXCL | 0640);
        check(id >= 0, "shmget");
        char *bytes = shmat(id, NULL, 0);
        check(bytes != (void *)-1, "shmat");
        bytes[0] = 1;
        printf("%d\n", id);
        return;
    } else if (strcmp(verb, "attach") == 0) {
        check(shmat(id, NULL, 0) != (void *)-1, "shmat");
        check(shmat(id, NULL, SHM_RDONLY) != (void *)-1, "shmat");
    } else if (strcmp(verb, "remove") == 0) {
        check(shmctl(id, IPC_RMID, NULL) == 0, "shmctl");
    } else if (strcmp(verb, "lock") == 0) {
        check(shmctl(id, SHM_LOCK, NULL) == 0, "shmctl");
    } else if (strcmp(verb, "memfd") == 0 || strcmp(verb, "mapped") == 0) {
        int fd = memfd_create(name, 0);
        check(fd >= 0 && ftruncate(fd, (off_t)size) == 0, "memfd_create");
        map(fd, size);
        if (strcmp(verb, "mapped") == 0) close(fd);
        printf("%d\n", fd);
        return;
    } else if (strcmp(verb, "collide") == 0) {
        printf("%d\n", collide());
        return;
    } else if (strcmp(verb, "anonymous") == 0) {
        map(-1, strtoull(name, NULL, 10));
    } else if (strcmp(verb, "undumpable") == 0) {
        check(prctl(PR_SET_DUMPABLE, 0) == 0, "prctl");
    } else if (strcmp(verb, "thread") == 0) {
        pthread_t thread;
        check(pthread_create(&thread, NULL, wait_for_end, NULL) == 0, "pthread_create");
        puts("thread");
        fflush(stdout);
        pthread_exit(NULL);
    } else {
        fprintf(stderr, "what is %s?\n", verb);
        exit(1);
    }
    puts(verb);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        char *rest = argv[i];
        char *verb = strsep(&rest, ":"), *name = strsep(&rest, ":");
        static char empty[] = "";
        if (name == NULL) name = empty;
        decode(name);
        hold(verb, name, rest);
        fflush(stdout);
    }
    wait_for_end(NULL);
}
