/*
 * Usage: chaos_worker NAME PLACE COUNT SEED
 *
 * tests/chaos/worker.ts in C, for the scenarios mutex and event (CHAOS_mutex, CHAOS_event): rounds until
 * it is killed or told to stop. It is compiled behind the header of the scenario's layout. See
 * tests/chaos/scenarios/ for what is done, and why.
 */
#define SHMKIT_IMPLEMENTATION
#include "shmkit.h"

#include <signal.h>
#include <sys/prctl.h>
#include <time.h>

#define LOAD(word) __atomic_load_n((uint32_t *)&(word), __ATOMIC_SEQ_CST)
#define STORE(word, value) __atomic_store_n((uint32_t *)&(word), (value), __ATOMIC_SEQ_CST)
#define EXCHANGE(word, value) __atomic_exchange_n((uint32_t *)&(word), (value), __ATOMIC_SEQ_CST)
#define ADD(word, value) __atomic_add_fetch((uint32_t *)&(word), (value), __ATOMIC_SEQ_CST)

static uint64_t state;

static uint32_t random_below(uint32_t limit) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (uint32_t)(state >> 32) % limit;
}

static void nap(uint32_t ms) {
  const struct timespec time = {0, (long)ms * 1000000};
  nanosleep(&time, NULL);
}

static void pass(void) {
  struct timespec begin, now;
  const uint32_t kind = random_below(40);
  const long ns = kind == 0 ? 2000000 : kind < 8 ? 100000 : 0;
  if (kind >= 20) {
    nap(random_below(5));
    return;
  }
  clock_gettime(CLOCK_MONOTONIC, &begin);
  do clock_gettime(CLOCK_MONOTONIC, &now);
  while ((now.tv_sec - begin.tv_sec) * 1000000000 + now.tv_nsec - begin.tv_nsec < ns);
}

static void violation(const char *what, int number) {
  printf("VIOLATION in C: %s (%d)\n", what, number);
  fflush(stdout);
}

static int fail(const char *what, int result) {
  violation(what, result);
  exit(1);
}

#ifdef CHAOS_mutex
typedef ChaosMutex chaos;

static int do_round(shmkit_participant *me, chaos *value, ChaosWorker *self, uint32_t seat) {
  static uint32_t entries;
  shmkit_mutex *lock = (shmkit_mutex *)(void *)&value->lock;
  const uint32_t way = random_below(6);
  uint32_t entry, before, was_inconsistent;
  int result;
  if (way == 0) result = shmkit_mutex_trylock(me, lock);
  else if (way < 3) result = shmkit_mutex_lock(me, lock, (int)random_below(20));
  else result = shmkit_mutex_lock(me, lock, SHMKIT_FOREVER);
  if (result == -EBUSY || result == -ETIMEDOUT) return 0;
  if (result < 0) return fail("cannot lock", result);
  ADD(self->holding, 1);
  entry = seat << 24 | (entries = (entries + 1) & 0xffffff);
  before = EXCHANGE(value->inside, entry);
  was_inconsistent = LOAD(value->inconsistent);
  if (result == SHMKIT_OWNER_DIED) {
    if (!was_inconsistent || before != 0) ADD(self->died, 1);
    if (before == 0 && !was_inconsistent) ADD(self->narrow, 1);
    value->second = value->first;
  } else {
    if (before != 0) violation("somebody was inside, and not said to be dead", (int)(before >> 24));
    if (was_inconsistent) violation("it was not told that the lock is not consistent", 0);
    if (value->first != value->second) violation("what the lock guards was half changed", 0);
  }
  value->first++;
  pass();
  value->second++;
  if (result == SHMKIT_OWNER_DIED) {
    const int leaves = random_below(8) == 0;
    STORE(value->inconsistent, leaves ? 1 : 0);
    if (!leaves) {
      const int marked = shmkit_mutex_mark_consistent(me, lock);
      if (marked < 0) fail("cannot mark", marked);
    }
  }
  before = EXCHANGE(value->inside, 0);
  if (before != entry) violation("somebody came in", (int)(before >> 24));
  ADD(self->holding, (uint32_t)-1);
  result = shmkit_mutex_unlock(me, lock);
  if (result < 0) fail("cannot unlock", result);
  return 1;
}
#endif

#ifdef CHAOS_event
typedef ChaosEvent chaos;

enum { ELSEWHERE, WAITS, HAS, GIVES };

static int do_round(shmkit_participant *me, chaos *value, ChaosWorker *self, uint32_t seat) {
  shmkit_auto_reset_event *baton = (shmkit_auto_reset_event *)(void *)&value->baton;
  shmkit_event *gate = (shmkit_event *)(void *)&value->gate;
  const int timeout = random_below(2) ? SHMKIT_FOREVER : (int)random_below(20);
  uint32_t before;
  int result;
  if (seat > 3 && random_below(2) == 0) {
    const uint32_t was_open = LOAD(value->gateOpen);
    before = LOAD(value->opens);
    result = shmkit_event_wait(me, gate, timeout);
    if (result == -ETIMEDOUT) return 0;
    if (result < 0) fail("cannot wait", result);
    if (!was_open && LOAD(value->opens) == before) violation("the gate was passed while shut", 0);
    return 1;
  }
  STORE(self->mark, WAITS);
  result = shmkit_auto_reset_event_wait(me, baton, timeout);
  if (result == -ETIMEDOUT) {
    STORE(self->mark, ELSEWHERE);
    return 0;
  }
  if (result < 0) fail("cannot wait", result);
  STORE(self->mark, HAS);
  STORE(self->holding, 1);
  before = EXCHANGE(value->inside, seat);
  if (before != 0) violation("two passed with one baton", (int)before);
  if (LOAD(value->gateOpen)) {
    if (shmkit_event_reset(me, gate) < 0) fail("cannot reset", 0);
    STORE(value->gateOpen, 0);
  }
  if (random_below(3) == 0) {
    STORE(value->gateOpen, 1);
    ADD(value->opens, 1);
    if (shmkit_event_set(me, gate) < 0) fail("cannot set", 0);
    if (random_below(2) == 0) pass();
    if (shmkit_event_reset(me, gate) < 0) fail("cannot reset", 0);
    STORE(value->gateOpen, 0);
  } else pass();
  if (EXCHANGE(value->inside, 0) != seat) violation("somebody came in", 0);
  STORE(self->holding, 0);
  STORE(self->mark, GIVES);
  if (shmkit_auto_reset_event_set(me, baton) < 0) fail("cannot set", 0);
  STORE(self->mark, ELSEWHERE);
  return 1;
}
#endif

int main(int argc, char **argv) {
  shmkit_participant me;
  ChaosWorker *self;
  chaos *value;
  uint32_t seat;
  int result;
  if (argc != 5) return 2;
  /* With whoever has started it, whatever that dies of. */
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  state = strtoull(argv[4], NULL, 10) * 0x9E3779B97F4A7C15u + 1;
  result = shmkit_participant_attach(&me, argv[1], 0, 0);
  if (result < 0) return fail("cannot attach", result);
  value = (chaos *)shmkit_payload(&me);
  self = (ChaosWorker *)(void *)&value->workers[atoi(argv[2])].value;
  STORE(self->ready, 1);
  while ((seat = LOAD(self->seat)) == 0) {
    nap(2);
    if (LOAD(value->stop)) return 0;
  }
  while (LOAD(value->stop) == 0) {
    const int worked = do_round(&me, value, self, seat);
    ADD(self->turns, 1);
    if (worked) ADD(self->rounds, 1);
    if (random_below(8) == 0) nap(random_below(3));
  }
  result = shmkit_participant_detach(&me);
  return result < 0 ? fail("cannot detach", result) : 0;
}
