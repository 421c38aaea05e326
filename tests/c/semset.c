// Usage: semset VERB KEY [ARGUMENT...]
//   make KEY COUNT            semget alone, as a creator that is killed leaves it
//   setval KEY INDEX VALUE    SETVAL
//   create KEY VALUE...       the classic creation: semget, SETALL, and a semop that sets sem_otime
//   operate KEY OPERATION...  one semop of operations such as 0-1 2+3u 1+0; u is SEM_UNDO
//   hold KEY OPERATION...     the same, and then waits to be killed
//   values KEY
// Prints the values at the end. The other end of a SystemVSemaphore, with the C library alone.

#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sem.h>
#include <unistd.h>

union semun {
    int val;
    struct semid_ds *buf;
    unsigned short *array;
};

static int check(int result, const char *what)
{
    if (result >= 0) return result;
    perror(what);
    exit(1);
}

static void operate(int id, int count, char **texts)
{
    struct sembuf operations[16];
    for (int i = 0; i < count && i < 16; i++) {
        char *end;
        operations[i].sem_num = (unsigned short)strtoul(texts[i], &end, 10);
        operations[i].sem_op = (short)strtol(end, &end, 10);
        operations[i].sem_flg = *end == 'u' ? SEM_UNDO : 0;
    }
    check(semop(id, operations, (size_t)count), "semop");
}

int main(int argc, char **argv)
{
    if (argc < 3) return 2;
    const char *verb = argv[1];
    key_t key = (key_t)strtoul(argv[2], NULL, 0);
    int is_creation = strcmp(verb, "make") == 0 || strcmp(verb, "create") == 0;
    int count = strcmp(verb, "make") == 0 ? atoi(argv[3]) : argc - 3;
    int flags = is_creation ? IPC_CREAT | IPC_EXCL | 0600 : 0;
    int id = check(semget(key, is_creation ? count : 0, flags), "semget");
    if (strcmp(verb, "setval") == 0) {
        check(semctl(id, atoi(argv[3]), SETVAL, (union semun){ .val = atoi(argv[4]) }), "SETVAL");
    } else if (strcmp(verb, "create") == 0) {
        unsigned short first[16];
        for (int i = 0; i < count && i < 16; i++) first[i] = (unsigned short)atoi(argv[3 + i]);
        check(semctl(id, 0, SETALL, (union semun){ .array = first }), "SETALL");
        char up[] = "0+1", down[] = "0-1";
        operate(id, 2, (char *[]){ up, down });
    } else if (strcmp(verb, "operate") == 0 || strcmp(verb, "hold") == 0) {
        operate(id, argc - 3, argv + 3);
    }
    struct semid_ds status;
    check(semctl(id, 0, IPC_STAT, (union semun){ .buf = &status }), "IPC_STAT");
    for (int i = 0; i < (int)status.sem_nsems; i++) {
        printf("%s%d", i == 0 ? "" : " ", check(semctl(id, i, GETVAL), "GETVAL"));
    }
    printf("\n");
    fflush(stdout);
    if (strcmp(verb, "hold") == 0) pause();
    return 0;
}
