// Usage: engine_messages NAME first|second COUNT
// One of two programs that send each other messages: see tests/peers/engine_messages.ts.

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SLOTS 8192
#define WORDS 12

struct message {
    int32_t words[WORDS];
    double real;
    uint8_t bytes[4];
    int32_t checksum;
};

struct ring {
    int32_t sent __attribute__((aligned(128)));
    int32_t read __attribute__((aligned(128)));
    struct message slots[SLOTS] __attribute__((aligned(256)));
};

static int32_t word(int32_t number)
{
    return (int32_t)((uint32_t)number * 0x9e3779b1u);
}

static int32_t checksum(const struct message *message)
{
    int32_t sum = 0, words[15];
    memcpy(words, message, sizeof words);
    for (int i = 0; i < 15; i++) sum ^= words[i];
    return sum;
}

static void write_message(struct message *message, int32_t number)
{
    for (int i = 0; i < WORDS; i++) message->words[i] = word(number + i);
    message->real = number + 0.25;
    for (int i = 0; i < 4; i++) message->bytes[i] = (uint8_t)(number + i);
    message->checksum = checksum(message);
}

static int is_right(const struct message *message, int32_t number)
{
    int wrong = message->checksum != checksum(message) || message->real != number + 0.25;
    for (int i = 0; i < WORDS; i++) wrong |= message->words[i] != word(number + i);
    for (int i = 0; i < 4; i++) wrong |= message->bytes[i] != (uint8_t)(number + i);
    return !wrong;
}

static void send_all(struct ring *ring, int32_t count)
{
    for (int32_t number = 1; number <= count; number++) {
        while (number - __atomic_load_n(&ring->read, __ATOMIC_ACQUIRE) > SLOTS) {
        }
        write_message(&ring->slots[number % SLOTS], number);
        __atomic_store_n(&ring->sent, number, __ATOMIC_RELEASE);
    }
}

static int receive_all(struct ring *ring, int32_t count)
{
    int wrong = 0;
    for (int32_t number = 1; number <= count; number++) {
        while (__atomic_load_n(&ring->sent, __ATOMIC_ACQUIRE) < number) {
        }
        wrong += !is_right(&ring->slots[number % SLOTS], number);
        __atomic_store_n(&ring->read, number, __ATOMIC_RELEASE);
    }
    return wrong;
}

int main(int argc, char **argv)
{
    if (argc < 4) return 2;
    char name[256];
    snprintf(name, sizeof name, "/%s", argv[1]);
    int32_t count = atoi(argv[3]);
    int fd = shm_open(name, O_RDWR, 0), wrong;
    size_t size = 2 * sizeof(struct ring);
    struct ring *rings = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd < 0 || rings == MAP_FAILED) {
        perror(argv[1]);
        return 1;
    }
    if (strcmp(argv[2], "first") == 0) {
        send_all(&rings[0], count);
        wrong = receive_all(&rings[1], count);
    } else {
        wrong = receive_all(&rings[0], count);
        send_all(&rings[1], count);
    }
    printf("%d\n", wrong);
    return 0;
}
