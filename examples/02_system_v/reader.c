// Waits for a message in a System V segment, and prints it: reader.ts in C.

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <unistd.h>

#include "message.h"

static int fail(const char *call)
{
    perror(call);
    return EXIT_FAILURE;
}

int main(void)
{
    key_t key = ftok(KEY_FILE, PROJECT_ID);
    if (key == -1) return fail(KEY_FILE);

    int id;
    while ((id = shmget(key, 0, 0)) < 0) {
        if (errno != ENOENT) return fail("shmget");
        usleep(10000);
    }
    struct message *message = shmat(id, NULL, 0);
    if (message == (void *)-1) return fail("shmat");

    while (atomic_load(&message->state) < WRITTEN) {
        struct shmid_ds status;
        if (shmctl(id, IPC_STAT, &status) < 0 || (status.shm_perm.mode & SHM_DEST) != 0) {
            fprintf(stderr, "the writer has removed the segment without writing to it\n");
            return EXIT_FAILURE;
        }
        usleep(10000);
    }
    uint32_t most = sizeof message->text;
    uint32_t byte_length = message->byte_length < most ? message->byte_length : most;
    printf("%.*s\n", (int)byte_length, message->text);
    atomic_store(&message->state, READ);
    return shmdt(message) == 0 ? EXIT_SUCCESS : fail("shmdt");
}
