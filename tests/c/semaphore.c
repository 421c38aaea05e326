// Usage: semaphore create NAME VALUE | post NAME COUNT | wait NAME COUNT | bounce PING PONG COUNT
// The other end of a NamedSemaphore, with the C library alone.

#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static sem_t *open_or_die(const char *name)
{
    sem_t *semaphore = sem_open(name, 0);
    if (semaphore == SEM_FAILED) {
        perror(name);
        exit(1);
    }
    return semaphore;
}

int main(int argc, char **argv)
{
    if (argc < 4) return 2;
    const char *verb = argv[1];
    if (strcmp(verb, "create") == 0) {
        sem_t *made = sem_open(argv[2], O_CREAT | O_EXCL, 0600, (unsigned)atoi(argv[3]));
        if (made == SEM_FAILED) {
            perror(argv[2]);
            return 1;
        }
        return 0;
    }
    sem_t *first = open_or_die(argv[2]);
    if (strcmp(verb, "bounce") == 0) {
        sem_t *second = open_or_die(argv[3]);
        for (int i = atoi(argv[4]); i > 0; i--) {
            if (sem_wait(first) != 0 || sem_post(second) != 0) return 1;
        }
        return 0;
    }
    for (int i = atoi(argv[3]); i > 0; i--) {
        if ((strcmp(verb, "post") == 0 ? sem_post(first) : sem_wait(first)) != 0) return 1;
    }
    int value = -1;
    sem_getvalue(first, &value);
    printf("%d\n", value);
    return 0;
}
