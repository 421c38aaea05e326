// Leaves a message in a System V segment, and removes it when it was read: writer.ts in C.

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <unistd.h>

#include "message.h"

static volatile sig_atomic_t ended_by;

static void end(int signal)
{
    ended_by = signal;
}

static int fail(const char *call)
{
    perror(call);
    return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    const char *text = argc > 1 ? argv[1] : "Hello from C";
    if (strlen(text) > sizeof((struct message *)0)->text) {
        fprintf(stderr, "the text is too long\n");
        return EXIT_FAILURE;
    }
    struct sigaction ending = {.sa_handler = end};
    sigaction(SIGINT, &ending, NULL);
    sigaction(SIGTERM, &ending, NULL);

    key_t key = ftok(KEY_FILE, PROJECT_ID);
    if (key == -1) return fail(KEY_FILE);

    // A segment stays when its writer is killed, and the kernel knows whether anybody is attached.
    int found = shmget(key, 0, 0);
    struct shmid_ds status;
    if (found >= 0 && shmctl(found, IPC_STAT, &status) == 0 && status.shm_nattch == 0) {
        shmctl(found, IPC_RMID, NULL);
    }

    int id = shmget(key, sizeof(struct message), IPC_CREAT | IPC_EXCL | 0600);
    if (id < 0) return fail("shmget");
    struct message *message = shmat(id, NULL, 0);
    if (message == (void *)-1) {
        int reason = errno;
        shmctl(id, IPC_RMID, NULL);
        errno = reason;
        return fail("shmat");
    }

    message->byte_length = strlen(text);
    memcpy(message->text, text, message->byte_length);
    atomic_store(&message->state, WRITTEN);
    printf("written to segment %d, key 0x%08x\n", id, (unsigned)key);
    fflush(stdout);

    while (atomic_load(&message->state) != READ && ended_by == 0) usleep(10000);
    if (ended_by == 0) puts("it was read");
    shmdt(message);
    shmctl(id, IPC_RMID, NULL);
    return ended_by == 0 ? EXIT_SUCCESS : 128 + ended_by;
}
