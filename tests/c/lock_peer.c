/*
 * Usage: lock_peer NAME MUTEX EVENT RECORD ROUNDS HOLD_US SEED
 *
 * Locks, works and unlocks, so many rounds or until the record says stop; sets the event in between,
 * and waits for it when it is set. MUTEX, EVENT and RECORD are offsets in the payload. Prints one line of
 * JSON: what it has seen. Ends with 1 when something failed, and says what.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lock_record.h"
#include "shmkit.h"

static uint64_t state;

static uint32_t random_below(uint32_t limit) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (uint32_t)(state >> 32) % limit;
}

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void work(int hold_us) {
  int64_t until;
  if (hold_us <= 0) return;
  until = now_ns() + 1000 * (int64_t)random_below((uint32_t)hold_us + 1);
  while (now_ns() < until) continue;
}

static int fail(const char *what, int result) {
  fprintf(stderr, "lock_peer: %s: %d (%s)\n", what, result, strerror(-result));
  return 1;
}

static void violate(lock_record *record, const char *what) {
  __atomic_add_fetch(&record->violations, 1, __ATOMIC_SEQ_CST);
  fprintf(stderr, "lock_peer: %s\n", what);
}

int main(int argc, char **argv) {
  shmkit_participant me;
  shmkit_mutex *mutex;
  shmkit_event *event;
  lock_record *record;
  uint64_t round, rounds, died = 0;
  uint32_t self;
  int64_t longest = 0;
  int hold_us, result;
  if (argc != 8) return 2;
  rounds = strtoull(argv[5], NULL, 10);
  hold_us = atoi(argv[6]);
  state = strtoull(argv[7], NULL, 10) * 0x9E3779B97F4A7C15u + 1;
  self = random_below(0xFFFFFFFE) + 1;

  result = shmkit_participant_attach(&me, argv[1], 0, 0);
  if (result < 0) return fail("cannot attach", result);
  mutex = (shmkit_mutex *)(void *)((char *)shmkit_payload(&me) + atol(argv[2]));
  event = (shmkit_event *)(void *)((char *)shmkit_payload(&me) + atol(argv[3]));
  record = (lock_record *)(void *)((char *)shmkit_payload(&me) + atol(argv[4]));

  for (round = 0; round < rounds; round++) {
    const int64_t before = now_ns();
    uint32_t seen;
    if (__atomic_load_n(&record->stop, __ATOMIC_SEQ_CST) != 0) break;
    result = shmkit_mutex_lock(&me, mutex, 20000);
    if (result < 0) return fail("cannot lock", result);
    if (now_ns() - before > longest) longest = now_ns() - before;
    if (result == SHMKIT_OWNER_DIED) {
      died++;
      __atomic_add_fetch(&record->reports, 1, __ATOMIC_SEQ_CST);
      record->count = record->check;
      __atomic_store_n(&record->witness, 0, __ATOMIC_SEQ_CST);
      result = shmkit_mutex_mark_consistent(&me, mutex);
      if (result < 0) return fail("cannot mark", result);
    }
    seen = __atomic_exchange_n(&record->witness, self, __ATOMIC_SEQ_CST);
    if (seen != 0) violate(record, "somebody is in already");
    record->count++;
    work(hold_us);
    if (record->count != record->check + 1) violate(record, "somebody else has counted");
    record->check++;
    seen = __atomic_exchange_n(&record->witness, 0, __ATOMIC_SEQ_CST);
    if (seen != self) violate(record, "somebody has come in");
    result = shmkit_mutex_unlock(&me, mutex);
    if (result < 0) return fail("cannot unlock", result);

    if (round % 64 == 0) {
      result = random_below(2) ? shmkit_event_set(&me, event) : shmkit_event_reset(&me, event);
      if (result < 0) return fail("cannot set or reset", result);
      result = shmkit_event_wait(&me, event, 1);
      if (result < 0 && result != -110) return fail("cannot wait", result);
    }
  }
  result = shmkit_participant_detach(&me);
  if (result < 0) return fail("cannot detach", result);
  printf("{\"rounds\":%llu,\"died\":%llu,\"longestMs\":%.3f}\n", (unsigned long long)round,
    (unsigned long long)died, (double)longest / 1e6);
  return 0;
}
