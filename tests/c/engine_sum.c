// Usage: engine_sum NAME INDEX CHUNKS CHUNK_LENGTH
// One of several programs that change the same words at once, each CHUNKS * CHUNK_LENGTH times:
// the same as tests/peers/engine_sum.ts, with the compiler's atomic operations.

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define ORDER __ATOMIC_SEQ_CST
#define LINE __attribute__((aligned(64)))

struct words {
    int32_t go LINE;
    int32_t sum LINE;
    int32_t difference LINE;
    int32_t exchanged LINE;
    int32_t toggled LINE;
    int64_t sum64 LINE;
    int64_t exchanged64 LINE;
    uint8_t sum8 LINE;
    uint16_t sum16 LINE;
};

int main(int argc, char **argv)
{
    if (argc < 5) return 2;
    char name[256];
    snprintf(name, sizeof name, "/%s", argv[1]);
    int index = atoi(argv[2]), chunks = atoi(argv[3]), chunk_length = atoi(argv[4]);
    int fd = shm_open(name, O_RDWR, 0);
    struct words *words = mmap(NULL, sizeof *words, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd < 0 || words == MAP_FAILED) {
        perror(argv[1]);
        return 1;
    }
    puts("ready");
    fflush(stdout);
    while (__atomic_load_n(&words->go, ORDER) == 0) {
    }
    for (int chunk = 0; chunk < chunks; chunk++) {
        for (int n = 0; n < chunk_length; n++) __atomic_fetch_add(&words->sum, 1, ORDER);
        for (int n = 0; n < chunk_length; n++) __atomic_fetch_sub(&words->difference, 1, ORDER);
        for (int n = 0; n < chunk_length; n++) {
            int32_t seen = __atomic_load_n(&words->exchanged, ORDER);
            while (!__atomic_compare_exchange_n(&words->exchanged, &seen, seen + 1, 0, ORDER, ORDER)) {
            }
        }
        for (int n = 0; n < chunk_length; n++) __atomic_fetch_xor(&words->toggled, 1 << index, ORDER);
        for (int n = 0; n < chunk_length; n++) __atomic_fetch_add(&words->sum64, 1, ORDER);
        for (int n = 0; n < chunk_length; n++) {
            int64_t seen = __atomic_load_n(&words->exchanged64, ORDER);
            while (!__atomic_compare_exchange_n(&words->exchanged64, &seen, seen + 1, 0, ORDER, ORDER)) {
            }
        }
        for (int n = 0; n < chunk_length; n++) __atomic_fetch_add(&words->sum8, 1, ORDER);
        for (int n = 0; n < chunk_length; n++) __atomic_fetch_add(&words->sum16, 1, ORDER);
    }
    return 0;
}
