/*
 * Usage: participant SCENARIO NAME
 *
 * One scenario of interop/c/shmkit.h each, at the object NAME, whose payload begins as `arena` does.
 * Prints "ok" and perhaps figures, or ends with 1 and says the line that is wrong. Also compiled as C++.
 */
#define SHMKIT_IMPLEMENTATION
#include "shmkit.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

typedef struct {
  shmkit_mutex lock, other;
  shmkit_event event;
  shmkit_auto_reset_event ping, pong;
  uint32_t words[4];
} arena;

static shmkit_participant me;
static arena *at;
static const char *name;
static pid_t children[64];
static int child_count;

static void stop_all(void) {
  int i;
  for (i = 0; i < child_count; i++) {
    if (children[i] > 1) kill(children[i], SIGKILL);
  }
}

#define CHECK(condition) \
  do { \
    if (!(condition)) fail(__LINE__, #condition); \
  } while (0)

static void fail(int line, const char *what) {
  fprintf(stderr, "participant.c:%d: %s\n", line, what);
  stop_all();
  _exit(1);
}

static void nap(long ms) {
  const struct timespec time = {ms / 1000, ms % 1000 * 1000000};
  nanosleep(&time, NULL);
}

static void attach(void) {
  CHECK(shmkit_participant_attach(&me, name, 0, 0) == 0);
  CHECK(shmkit_payload_size(&me) >= sizeof(arena));
  at = (arena *)shmkit_payload(&me);
}

static void detach(void) {
  CHECK(shmkit_participant_detach(&me) == 0);
}

static uint32_t get(const uint32_t *word) {
  return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static void add(uint32_t *word, uint32_t value) {
  __atomic_add_fetch(word, value, __ATOMIC_SEQ_CST);
}

static void await_value(const uint32_t *word, uint32_t value) {
  int i;
  for (i = 0; i < 20000 && get(word) != value; i++) nap(1);
  CHECK(get(word) == value);
}

/* Runs a function in a child that is attached by itself, before this process is. */
static pid_t start(void (*run)(void)) {
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    child_count = 0;
    attach();
    run();
    detach();
    _exit(0);
  }
  children[child_count++] = child;
  return child;
}

static int end_of(pid_t child) {
  int i, status;
  CHECK(waitpid(child, &status, 0) == child);
  for (i = 0; i < child_count; i++) {
    if (children[i] == child) children[i] = 0;
  }
  return status;
}

/* ---- one thread */

static void misuse(void) {
  static union {
    shmkit_mutex mutex;
    char bytes[32];
  } elsewhere;
  shmkit_participant none, second;
  char *payload;
  memset(&none, 0, sizeof none);
  CHECK(shmkit_mutex_lock(&none, &elsewhere.mutex, 0) == -EBADF);
  CHECK(shmkit_participant_detach(&none) == -EBADF);
  CHECK(shmkit_payload(&none) == NULL && shmkit_payload_size(&none) == 0);
  attach();
  payload = (char *)at;
  CHECK(shmkit_mutex_lock(&me, NULL, 0) == -EINVAL);
  CHECK(shmkit_event_set(&me, NULL) == -EINVAL);
  CHECK(shmkit_mutex_lock(&me, &elsewhere.mutex, 0) == -EINVAL);
  CHECK(shmkit_mutex_lock(&me, (shmkit_mutex *)(void *)(payload + 2), 0) == -EINVAL);
  CHECK(shmkit_mutex_lock(&me, (shmkit_mutex *)(void *)(payload - 4), 0) == -EINVAL);
  payload += shmkit_payload_size(&me) - 12;
  CHECK(shmkit_mutex_lock(&me, (shmkit_mutex *)(void *)payload, 0) == -EINVAL);

  CHECK(shmkit_mutex_unlock(&me, &at->lock) == -EPERM);
  CHECK(shmkit_mutex_mark_consistent(&me, &at->lock) == -EPERM);
  CHECK(shmkit_mutex_lock(&me, &at->lock, SHMKIT_FOREVER) == 0);
  CHECK(shmkit_mutex_lock(&me, &at->lock, SHMKIT_FOREVER) == -EDEADLK);
  CHECK(shmkit_mutex_trylock(&me, &at->lock) == -EDEADLK);
  CHECK(shmkit_mutex_mark_consistent(&me, &at->lock) == 0);
  CHECK(shmkit_mutex_lock(&me, &at->other, 0) == 0);
  CHECK(shmkit_participant_detach(&me) == -EBUSY);
  CHECK(shmkit_participant_attach(&second, name, 0, 0) == 0);
  at = (arena *)shmkit_payload(&second);
  CHECK(shmkit_mutex_lock(&second, &at->lock, 10) == -EDEADLK);
  at = (arena *)shmkit_payload(&me);
  CHECK(shmkit_participant_detach(&second) == 0);

  /* Somebody writes over it. */
  __atomic_store_n(at->lock.words, 0x3FFFFC01u, __ATOMIC_SEQ_CST);
  CHECK(shmkit_mutex_mark_consistent(&me, &at->lock) == SHMKIT_LOCK_LOST);
  CHECK(shmkit_mutex_unlock(&me, &at->lock) == SHMKIT_LOCK_LOST);
  CHECK(get(at->lock.words) == 0x3FFFFC01u);
  CHECK(shmkit_mutex_unlock(&me, &at->lock) == -EPERM);
  /* What nobody can own does not block: no slot has the number, or it has another generation. */
  CHECK(shmkit_mutex_trylock(&me, &at->lock) == SHMKIT_OWNER_DIED);
  CHECK(shmkit_mutex_unlock(&me, &at->lock) == 0);
  CHECK(shmkit_mutex_trylock(&me, &at->lock) == SHMKIT_OWNER_DIED);
  CHECK(shmkit_mutex_mark_consistent(&me, &at->lock) == 0);
  CHECK(shmkit_mutex_unlock(&me, &at->lock) == 0);
  CHECK(get(at->lock.words) == 0 && get(at->lock.words + 1) == 0);
  CHECK(shmkit_mutex_unlock(&me, &at->other) == 0);

  CHECK(shmkit_event_is_set(&me, &at->event) == 0);
  CHECK(shmkit_event_wait(&me, &at->event, 0) == -ETIMEDOUT);
  CHECK(shmkit_event_wait(&me, &at->event, 20) == -ETIMEDOUT);
  CHECK(shmkit_event_set(&me, &at->event) == 0 && shmkit_event_set(&me, &at->event) == 0);
  CHECK(shmkit_event_is_set(&me, &at->event) == 1);
  CHECK(shmkit_event_wait(&me, &at->event, 0) == 0 && shmkit_event_wait(&me, &at->event, -1) == 0);
  CHECK(shmkit_event_reset(&me, &at->event) == 0);
  CHECK(shmkit_event_wait(&me, &at->event, 0) == -ETIMEDOUT);
  CHECK(shmkit_auto_reset_event_set(&me, &at->ping) == 0);
  CHECK(shmkit_auto_reset_event_is_set(&me, &at->ping) == 1);
  CHECK(shmkit_auto_reset_event_wait(&me, &at->ping, -1) == 0);
  CHECK(shmkit_auto_reset_event_wait(&me, &at->ping, 60) == -ETIMEDOUT);
  CHECK(shmkit_auto_reset_event_set(&me, &at->ping) == 0);
  CHECK(shmkit_auto_reset_event_reset(&me, &at->ping) == 0);
  CHECK(shmkit_auto_reset_event_wait(&me, &at->ping, 0) == -ETIMEDOUT);
  detach();
}

/* Many locks at once, and all of them unlocked: more than a participant has room for at first. */
static void many(void) {
  const size_t room = sizeof(arena) + 4;
  size_t i, length;
  shmkit_mutex *locks;
  attach();
  locks = (shmkit_mutex *)(void *)((char *)at + (room + 15) / 16 * 16);
  length = (shmkit_payload_size(&me) - (room + 15) / 16 * 16) / sizeof *locks;
  CHECK(length > 40);
  for (i = 0; i < length; i++) CHECK(shmkit_mutex_lock(&me, locks + i, 0) == 0);
  for (i = 0; i < length; i += 2) CHECK(shmkit_mutex_unlock(&me, locks + i) == 0);
  for (i = 0; i < length; i++) {
    CHECK(shmkit_mutex_trylock(&me, locks + i) == (i % 2 == 0 ? 0 : -EDEADLK));
  }
  for (i = 0; i < length; i++) CHECK(shmkit_mutex_unlock(&me, locks + i) == 0);
  detach();
}

/* As many take part as there is room for, and not one more; and when one has left, another. */
static void full(void) {
  static shmkit_participant all[1001];
  uint32_t count = 0, i, slots[32] = {0};
  int result = 0;
  while (count < 1001 && (result = shmkit_participant_attach(all + count, name, 0, 0)) == 0) count++;
  CHECK(result == -EUSERS);
  CHECK(count == all[0].participants);
  for (i = 0; i < count; i++) {
    const uint32_t slot = (all[i].id & 1023) - 1;
    CHECK(slot < count && (slots[slot / 32] >> slot % 32 & 1) == 0);
    slots[slot / 32] |= 1u << slot % 32;
  }
  CHECK(shmkit_participant_detach(all + 1) == 0);
  CHECK(shmkit_participant_attach(all + 1, name, 0, 0) == 0);
  CHECK(shmkit_participant_attach(&me, name, 0, 0) == -EUSERS);
  for (i = 0; i < count; i++) CHECK(shmkit_participant_detach(all + i) == 0);
  printf("%u ", count);
}

/* The object has one slot, so that it is known which. */
static void wrap(void) {
  static const uint32_t expected[] = {0xFFFFF, 0, 1, 2};
  uint32_t *slot, i;
  attach();
  CHECK(me.participants == 1);
  slot = me.slot;
  __atomic_store_n(slot, 0xFFFFE, __ATOMIC_SEQ_CST);
  CHECK(shmkit_mutex_lock(&me, &at->lock, 0) == 0);
  for (i = 0; i < 4; i++) {
    /* Whoever had the slot before is dead, and its lock goes to the next. */
    me.held_count = 0;
    detach();
    attach();
    CHECK(me.id == (expected[i] << 10 | 1));
    CHECK(shmkit_mutex_lock(&me, &at->lock, 1000) == SHMKIT_OWNER_DIED);
  }
  /* An id comes again: this participant knows that it does not hold the lock. */
  CHECK(shmkit_mutex_unlock(&me, &at->lock) == 0);
  __atomic_store_n(at->lock.words, me.id, __ATOMIC_SEQ_CST);
  __atomic_store_n(at->lock.words + 1, me.id, __ATOMIC_SEQ_CST);
  CHECK(shmkit_mutex_lock(&me, &at->lock, 1000) == SHMKIT_OWNER_DIED);
  CHECK(get(at->lock.words + 1) == 0);
  CHECK(shmkit_mutex_mark_consistent(&me, &at->lock) == 0);
  CHECK(shmkit_mutex_unlock(&me, &at->lock) == 0);
  CHECK(get(at->lock.words) == 0);
  detach();
}

/* Another has the slot of a dead owner already. The object has two: so it is known which. */
static void successor(void) {
  shmkit_participant dead, next;
  attach();
  CHECK(me.participants == 2);
  CHECK(shmkit_participant_attach(&dead, name, 0, 0) == 0);
  CHECK(shmkit_mutex_lock(&dead, &((arena *)shmkit_payload(&dead))->lock, 0) == 0);
  dead.held_count = 0;
  CHECK(shmkit_participant_detach(&dead) == 0);
  CHECK(shmkit_participant_attach(&next, name, 0, 0) == 0);
  CHECK(shmkit_mutex_trylock(&me, &at->lock) == SHMKIT_OWNER_DIED);
  CHECK(shmkit_mutex_unlock(&me, &at->lock) == 0);
  CHECK(shmkit_participant_detach(&next) == 0);
  detach();
}

/* ---- death and standstill */

static void hold(void) {
  CHECK(shmkit_mutex_lock(&me, &at->lock, -1) == 0);
  add(at->words, 1);
  nap(100000);
}

static void queue(void) {
  add(at->words + 1, 1);
  CHECK(shmkit_mutex_lock(&me, &at->lock, -1) == 0);
  add(at->words + 2, 1);
  CHECK(shmkit_mutex_unlock(&me, &at->lock) == 0);
}

static void give_up(void) {
  CHECK(shmkit_mutex_lock(&me, &at->lock, 200) == -ETIMEDOUT);
}

static void stopped_owner(void) {
  pid_t owner, waiter;
  int status, i;
  owner = start(hold);
  attach();
  await_value(at->words, 1);
  kill(owner, SIGSTOP);
  CHECK(waitpid(owner, &status, WUNTRACED) == owner && WIFSTOPPED(status));
  waiter = start(queue);
  for (i = 0; i < 3; i++) {
    CHECK(shmkit_mutex_trylock(&me, &at->lock) == -EBUSY);
    CHECK(shmkit_mutex_lock(&me, &at->lock, 200) == -ETIMEDOUT);
  }
  CHECK(get(at->words + 2) == 0);
  kill(owner, SIGKILL);
  end_of(owner);
  /* Either is told, and nobody marks it. */
  CHECK(shmkit_mutex_lock(&me, &at->lock, 20000) == SHMKIT_OWNER_DIED);
  CHECK(shmkit_mutex_mark_consistent(&me, &at->lock) == 0);
  CHECK(shmkit_mutex_unlock(&me, &at->lock) == 0);
  end_of(waiter);
  detach();
}

/* A waiter that demands to be next is stopped, and then killed: the others go on. */
static void stopped_demander(void) {
  pid_t waiter;
  int i, status;
  attach();
  CHECK(shmkit_mutex_lock(&me, &at->lock, 0) == 0);
  waiter = start(queue);
  for (i = 0; i < 20000 && get(at->lock.words + 1) == 0; i++) nap(1);
  CHECK(get(at->lock.words + 1) != 0);
  kill(waiter, SIGSTOP);
  CHECK(waitpid(waiter, &status, WUNTRACED) == waiter && WIFSTOPPED(status));
  CHECK(shmkit_mutex_unlock(&me, &at->lock) == 0);
  CHECK(shmkit_mutex_trylock(&me, &at->lock) == 0);
  CHECK(shmkit_mutex_unlock(&me, &at->lock) == 0);
  CHECK(get(at->lock.words + 1) != 0);
  for (i = 0; i < 10000; i++) {
    CHECK(shmkit_mutex_lock(&me, &at->lock, 5000) == 0);
    CHECK(shmkit_mutex_unlock(&me, &at->lock) == 0);
  }
  CHECK(get(at->lock.words + 1) == 0);
  CHECK(get(at->words + 2) == 0);
  kill(waiter, SIGCONT);
  CHECK(end_of(waiter) == 0);
  CHECK(get(at->words + 2) == 1);
  detach();
}

/* Of those who wait most are killed; the others get the lock, and nobody is said to have owned it. */
static void killed_waiters(void) {
  pid_t waiters[8];
  int i;
  attach();
  CHECK(shmkit_mutex_lock(&me, &at->lock, 0) == 0);
  for (i = 0; i < 8; i++) waiters[i] = start(queue);
  await_value(at->words + 1, 8);
  nap(200);
  for (i = 0; i < 6; i++) {
    kill(waiters[i], SIGKILL);
    if (i % 2 == 0) end_of(waiters[i]);
  }
  CHECK(shmkit_mutex_unlock(&me, &at->lock) == 0);
  for (i = 1; i < 6; i += 2) end_of(waiters[i]);
  CHECK(end_of(waiters[6]) == 0 && end_of(waiters[7]) == 0);
  CHECK(get(at->words + 2) == 2);
  CHECK(shmkit_mutex_lock(&me, &at->lock, 20000) == 0);
  CHECK(shmkit_mutex_unlock(&me, &at->lock) == 0);
  detach();
}

static void hog(void) {
  while (get(at->words) == 0) {
    CHECK(shmkit_mutex_lock(&me, &at->lock, -1) == 0);
    const int64_t until = shmkit_i_now() + 2 * SHMKIT_I_MS;
    while (shmkit_i_now() < until) continue;
    add(at->words + 1, 1);
    CHECK(shmkit_mutex_unlock(&me, &at->lock) == 0);
  }
}

/* Who locks in a tight loop keeps nobody from the lock. */
static void starvation(void) {
  pid_t greedy;
  int i;
  int64_t longest = 0;
  greedy = start(hog);
  attach();
  for (i = 0; i < 20; i++) {
    const uint32_t rounds = get(at->words + 1);
    const int64_t before = shmkit_i_now();
    int64_t took;
    CHECK(shmkit_mutex_lock(&me, &at->lock, 5000) == 0);
    took = shmkit_i_now() - before;
    if (took > longest) longest = took;
    /* 50 rounds take as long as it is until the demand. */
    CHECK(get(at->words + 1) < rounds + 350);
    CHECK(shmkit_mutex_unlock(&me, &at->lock) == 0);
    while (get(at->words + 1) < rounds + 5) nap(1);
  }
  __atomic_store_n(at->words, 1, __ATOMIC_SEQ_CST);
  CHECK(end_of(greedy) == 0);
  detach();
  printf("%.3f ", (double)longest / 1e6);
}

/* Holds the lock until another demands it, and unlocks. */
static pid_t be_asked(void) {
  pid_t waiter;
  int i;
  CHECK(shmkit_mutex_lock(&me, &at->lock, 0) == 0);
  waiter = start(queue);
  for (i = 0; i < 20000 && get(at->lock.words + 1) == 0; i++) nap(1);
  CHECK(get(at->lock.words + 1) != 0);
  CHECK(shmkit_mutex_unlock(&me, &at->lock) == 0);
  return waiter;
}

/* Who demands is next, and the demand ends with that. */
static void demand(void) {
  pid_t waiter;
  uint32_t before;
  int i, is_next = 0;
  attach();
  waiter = be_asked();
  CHECK(end_of(waiter) == 0);
  CHECK(get(at->lock.words) == 0 && get(at->lock.words + 1) == 0);
  /* A busy machine may not let it run in time: politeness ends. But not always. */
  for (i = 0; i < 50 && !is_next; i++) {
    before = get(at->words + 2);
    waiter = be_asked();
    CHECK(shmkit_mutex_lock(&me, &at->lock, 20000) == 0);
    is_next = get(at->words + 2) == before + 1;
    CHECK(shmkit_mutex_unlock(&me, &at->lock) == 0);
    CHECK(end_of(waiter) == 0);
  }
  CHECK(is_next);
  /* Who gives up demands no longer, either. */
  CHECK(shmkit_mutex_lock(&me, &at->lock, 0) == 0);
  waiter = start(give_up);
  CHECK(end_of(waiter) == 0);
  CHECK(get(at->lock.words + 1) == 0);
  CHECK(shmkit_mutex_unlock(&me, &at->lock) == 0);
  detach();
}

/* ---- threads, and children that are copies */

static void *lock_and_end(void *leaked) {
  shmkit_participant *p = (shmkit_participant *)leaked;
  arena *payload;
  CHECK(shmkit_participant_attach(p, name, 0, 0) == 0);
  payload = (arena *)shmkit_payload(p);
  CHECK(shmkit_mutex_lock(p, &payload->lock, 0) == 0);
  CHECK(shmkit_mutex_lock(&me, &at->other, 0) == -EPERM);
  CHECK(shmkit_participant_detach(&me) == -EPERM);
  return NULL;
}

/* The object has two slots: one is this thread's, the other that of a thread that has ended. */
static void thread(void) {
  static shmkit_participant leaked[4];
  pthread_t ended;
  int i, fd;
  attach();
  CHECK(me.participants == 2);
  for (i = 0; i < 3; i++) {
    CHECK(pthread_create(&ended, NULL, lock_and_end, leaked + i) == 0);
    CHECK(pthread_join(ended, NULL) == 0);
    CHECK(shmkit_mutex_lock(leaked + i, &at->lock, 0) == -EPERM);
    CHECK(shmkit_mutex_lock(&me, &at->lock, 5000) == SHMKIT_OWNER_DIED);
    CHECK(shmkit_mutex_mark_consistent(&me, &at->lock) == 0);
    CHECK(shmkit_mutex_unlock(&me, &at->lock) == 0);
    CHECK(shmkit_i_is_byte_locked(me.fd, SHMKIT_I_SLOT_LOCKS + (leaked[i].id & 1023) - 1) == 1);
    fd = leaked[i].fd;
    CHECK(fcntl(fd, F_GETFD) >= 0);
  }
  CHECK(shmkit_participant_attach(leaked + 3, name, 0, 0) == 0);
  CHECK(shmkit_participant_detach(leaked + 3) == 0);
  CHECK(fcntl(fd, F_GETFD) < 0 && errno == EBADF);
  detach();
}

static void *end_at_once(void *thread_number) {
  *(uint32_t *)thread_number = (uint32_t)syscall(SYS_gettid);
  return NULL;
}

/*
 * A slot says of an earlier process, which had the number of this one, that it has ended; and the number
 * of its descriptor is that of a living participant here. The descriptor is left alone.
 */
static void number_again(void) {
  shmkit_participant second;
  pthread_t ended;
  uint32_t *slot, number = 0;
  attach();
  CHECK(me.participants == 2);
  CHECK(pthread_create(&ended, NULL, end_at_once, &number) == 0);
  CHECK(pthread_join(ended, NULL) == 0);
  slot = (uint32_t *)(void *)(me.base + me.slots + (2 - (me.id & 1023)) * (uint64_t)me.slot_length);
  memcpy(slot, me.slot, SHMKIT_I_SLOT_BYTES);
  slot[SHMKIT_I_THREAD] = number;
  CHECK(slot[SHMKIT_I_DESCRIPTOR] == (uint32_t)me.fd);
  CHECK(shmkit_participant_attach(&second, name, 0, 0) == 0);
  CHECK(fcntl(me.fd, F_GETFD) >= 0);
  CHECK(shmkit_i_is_byte_locked(second.fd, SHMKIT_I_SLOT_LOCKS + (me.id & 1023) - 1) == 1);
  CHECK(shmkit_participant_detach(&second) == 0);
  detach();
}

static void copy(void) {
  shmkit_participant second;
  pid_t child;
  attach();
  CHECK(shmkit_mutex_lock(&me, &at->lock, 0) == 0);
  child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    CHECK(shmkit_mutex_unlock(&me, &at->lock) == -ECHILD);
    CHECK(shmkit_event_set(&me, &at->event) == -ECHILD);
    CHECK(shmkit_participant_detach(&me) == 0);
    CHECK(shmkit_participant_detach(&me) == -EBADF);
    attach();
    CHECK(shmkit_mutex_lock(&me, &at->lock, 200) == -ETIMEDOUT);
    detach();
    _exit(0);
  }
  children[child_count++] = child;
  CHECK(end_of(child) == 0);
  CHECK(shmkit_participant_attach(&second, name, 0, 0) == 0);
  CHECK(shmkit_i_is_byte_locked(second.fd, SHMKIT_I_SLOT_LOCKS + (me.id & 1023) - 1) == 1);
  CHECK(shmkit_participant_detach(&second) == 0);
  CHECK(shmkit_mutex_unlock(&me, &at->lock) == 0);
  detach();
}

/* An object without a name, by a descriptor; it is this program's standard input. */
static void descriptor(void) {
  shmkit_participant second;
  CHECK(shmkit_participant_attach_fd(&me, 0, 0) == 0);
  CHECK(shmkit_participant_attach_fd(&second, 0, shmkit_payload_fingerprint(&me)) == 0);
  CHECK(me.fd > 0 && second.fd > 0 && me.fd != second.fd && me.id != second.id);
  at = (arena *)shmkit_payload(&me);
  CHECK(shmkit_mutex_lock(&me, &at->lock, 0) == 0);
  at = (arena *)shmkit_payload(&second);
  CHECK(shmkit_mutex_trylock(&second, &at->lock) == -EDEADLK);
  at = (arena *)shmkit_payload(&me);
  CHECK(shmkit_mutex_unlock(&me, &at->lock) == 0);
  CHECK(shmkit_participant_detach(&second) == 0);
  CHECK(shmkit_participant_attach_fd(&second, 0, 1) == -EPROTO);
  CHECK(shmkit_participant_attach_fd(&second, 999, 0) == -ENOENT);
  CHECK(shmkit_participant_attach_fd(&second, -1, 0) == -EBADF);
  detach();
}

/* ---- events */

#define BOUNCES 100000u

static void bounce(void) {
  uint32_t i;
  for (i = 0; i < BOUNCES; i++) {
    CHECK(shmkit_auto_reset_event_wait(&me, &at->ping, 20000) == 0);
    add(at->words, 1);
    CHECK(shmkit_auto_reset_event_set(&me, &at->pong) == 0);
  }
}

static void ping_pong(void) {
  const pid_t other = start(bounce);
  int64_t before;
  uint32_t i;
  attach();
  before = shmkit_i_now();
  for (i = 0; i < BOUNCES; i++) {
    CHECK(shmkit_auto_reset_event_set(&me, &at->ping) == 0);
    CHECK(shmkit_auto_reset_event_wait(&me, &at->pong, 20000) == 0);
    CHECK(get(at->words) == i + 1);
  }
  printf("%.3f ", (double)(shmkit_i_now() - before) / 1e3 / BOUNCES);
  CHECK(end_of(other) == 0);
  detach();
}

static void take_sets(void) {
  while (get(at->words + 1) == 0) {
    const int result = shmkit_auto_reset_event_wait(&me, &at->ping, 30);
    CHECK(result == 0 || result == -ETIMEDOUT);
    if (result == 0) add(at->words, 1);
  }
}

/* Each set ends one wait, of whichever of three, some of which time out all the time. */
static void sets(void) {
  pid_t takers[3];
  uint32_t i;
  for (i = 0; i < 3; i++) takers[i] = start(take_sets);
  attach();
  for (i = 0; i < 20000; i++) {
    const int64_t limit = shmkit_i_now() + 20000 * SHMKIT_I_MS;
    CHECK(shmkit_auto_reset_event_set(&me, &at->ping) == 0);
    while (get(at->words) != i + 1 && shmkit_i_now() < limit) sched_yield();
    CHECK(get(at->words) == i + 1);
    if (i % 5000 == 0) nap(50);
  }
  add(at->words + 1, 1);
  for (i = 0; i < 3; i++) CHECK(end_of(takers[i]) == 0);
  CHECK(get(at->words) == 20000 && shmkit_auto_reset_event_is_set(&me, &at->ping) == 0);
  detach();
}

static void wait_for_gate(void) {
  add(at->words, 1);
  CHECK(shmkit_event_wait(&me, &at->event, 20000) == 0);
  add(at->words + 1, 1);
}

/* A set that is reset at once ends every wait that had begun, even of one that was stopped. */
static void gate(void) {
  pid_t waiters[4];
  int i, status;
  for (i = 0; i < 4; i++) waiters[i] = start(wait_for_gate);
  attach();
  await_value(at->words, 4);
  nap(200);
  kill(waiters[0], SIGSTOP);
  CHECK(waitpid(waiters[0], &status, WUNTRACED) == waiters[0]);
  kill(waiters[1], SIGKILL);
  CHECK(shmkit_event_set(&me, &at->event) == 0);
  CHECK(shmkit_event_reset(&me, &at->event) == 0);
  end_of(waiters[1]);
  CHECK(end_of(waiters[2]) == 0 && end_of(waiters[3]) == 0);
  kill(waiters[0], SIGCONT);
  CHECK(end_of(waiters[0]) == 0);
  CHECK(get(at->words + 1) == 3);
  detach();
}

/* ---- mail */

static shmkit_participant loops[3];
static int boxes[3];
static char paths[3][64];

/* Puts into the slots of three participants what event loops would. */
static void make_mailboxes(uint32_t seed) {
  uint32_t i, j;
  for (i = 0; i < 3; i++) {
    CHECK(shmkit_participant_attach(loops + i, name, 0, 0) == 0);
    for (j = 0; j < 4; j++) loops[i].slot[SHMKIT_I_MAILBOX + j] = seed + i * 4 + j;
    CHECK(mkfifo(paths[i], 0600) == 0);
    boxes[i] = open(paths[i], O_RDWR | O_NONBLOCK | O_CLOEXEC);
    CHECK(boxes[i] >= 0);
  }
}

/* An event loop waits for a word. */
static void expect_mail(int i, const void *word) {
  const uint64_t position = (uint64_t)((const char *)word - (const char *)at);
  const uint32_t bit = (uint32_t)((position / 4 * UINT64_C(0x9E3779B1) & 0xFFFFFFFF) >> 26);
  const uint32_t slot = (loops[i].id & 1023) - 1;
  uint32_t *bitmap = (uint32_t *)(void *)(loops[i].base + loops[i].waiters);
  __atomic_or_fetch(loops[i].slot + SHMKIT_I_INTEREST + bit / 32, 1u << bit % 32, __ATOMIC_SEQ_CST);
  __atomic_or_fetch(bitmap + slot / 32, 1u << slot % 32, __ATOMIC_SEQ_CST);
}

/* How many bytes have come, of all of them. */
static int mail_of(int i) {
  char bytes[65536];
  const ssize_t got = read(boxes[i], bytes, sizeof bytes);
  return got < 0 ? 0 : (int)got;
}

static int all_mail(void) {
  return mail_of(0) + mail_of(1) + mail_of(2);
}

static void set_ping(void) {
  at->ping.words[0] = 2;
  CHECK(shmkit_auto_reset_event_set(&me, &at->ping) == 0);
}

static void forget_mailboxes(void) {
  int i;
  for (i = 0; i < SHMKIT_MAILBOXES; i++) {
    if (me.mailboxes[i].id != 0) close(me.mailboxes[i].fd);
    me.mailboxes[i].id = 0;
  }
}

static void mail_scenario(uint32_t seed) {
  uint32_t *slot, words[32];
  int i, first = 0;
  make_mailboxes(seed);
  attach();
  /* Nobody is interested. */
  at->event.words[0] = 2;
  CHECK(shmkit_event_set(&me, &at->event) == 0 && all_mail() == 0);
  for (i = 0; i < 3; i++) expect_mail(i, &at->event);
  /* Nobody has announced itself. */
  CHECK(shmkit_event_reset(&me, &at->event) == 0);
  CHECK(shmkit_event_set(&me, &at->event) == 0 && all_mail() == 0);
  CHECK(shmkit_event_reset(&me, &at->event) == 0);
  at->event.words[0] |= 2;
  CHECK(shmkit_event_set(&me, &at->event) == 0);
  for (i = 0; i < 3; i++) CHECK(mail_of(i) == 1);

  for (i = 0; i < 3; i++) expect_mail(i, &at->ping);
  for (i = 0; i < 70; i++) {
    at->ping.words[0] = 2;
    CHECK(shmkit_auto_reset_event_set(&me, &at->ping) == 0);
    if (mail_of(0)) first++;
    else CHECK(mail_of(1) + mail_of(2) == 1);
  }
  CHECK(first > 0 && first < 70); /* not always the same */

  /* A lock: one of those who are interested, and the one that demands it. */
  expect_mail(1, &at->lock);
  CHECK(all_mail() == 0);
  CHECK(shmkit_mutex_lock(&me, &at->lock, 0) == 0);
  CHECK(shmkit_mutex_unlock(&me, &at->lock) == 0 && all_mail() == 0);
  CHECK(shmkit_mutex_lock(&me, &at->lock, 0) == 0);
  at->lock.words[0] |= SHMKIT_I_WAIT;
  CHECK(shmkit_mutex_unlock(&me, &at->lock) == 0);
  CHECK(mail_of(1) == 1 && all_mail() == 0);
  CHECK(shmkit_mutex_lock(&me, &at->lock, 0) == 0);
  at->lock.words[0] |= SHMKIT_I_WAIT;
  at->lock.words[1] = loops[2].id;
  CHECK(shmkit_mutex_unlock(&me, &at->lock) == 0);
  CHECK(mail_of(0) == 0 && mail_of(1) == 0 && mail_of(2) == 1);
  at->lock.words[1] = 0;

  /* A full mailbox is one. */
  while (write(boxes[1], "", 1) == 1) continue;
  CHECK(shmkit_mutex_lock(&me, &at->lock, 0) == 0);
  at->lock.words[0] |= SHMKIT_I_WAIT;
  CHECK(shmkit_mutex_unlock(&me, &at->lock) == 0);
  CHECK(mail_of(0) == 0 && mail_of(2) == 0);
  /* One that nobody reads ends nobody. */
  close(boxes[1]);
  for (i = 0; i < 2; i++) {
    CHECK(shmkit_mutex_lock(&me, &at->lock, 0) == 0);
    at->lock.words[0] |= SHMKIT_I_WAIT;
    CHECK(shmkit_mutex_unlock(&me, &at->lock) == 0);
    forget_mailboxes();
  }
  /* What is no FIFO is not written to. */
  CHECK(unlink(paths[1]) == 0);
  boxes[1] = open(paths[1], O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  CHECK(boxes[1] >= 0);
  for (i = 0; i < 70; i++) set_ping();
  CHECK(lseek(boxes[1], 0, SEEK_END) == 0);
  CHECK(all_mail() == 70);
  /* The dead get none, even if what they have read by is still open. */
  CHECK(unlink(paths[1]) == 0 && close(boxes[1]) == 0 && mkfifo(paths[1], 0600) == 0);
  boxes[1] = open(paths[1], O_RDWR | O_NONBLOCK | O_CLOEXEC);
  CHECK(boxes[1] >= 0);
  set_ping();
  for (i = 0; i < 70 && mail_of(1) == 0; i++) set_ping();
  CHECK(i < 70);
  slot = shmkit_i_slot_at(&me, (loops[1].id & 1023) - 1);
  memcpy(words, slot, sizeof words);
  CHECK(shmkit_participant_detach(loops + 1) == 0);
  memcpy(slot, words, sizeof words);
  CHECK(shmkit_participant_attach(loops + 1, name, 0, 0) == 0); /* somebody else */
  all_mail();
  for (i = 0; i < 70; i++) set_ping();
  CHECK(mail_of(1) == 0 && all_mail() == 70);
  for (i = 0; i < 3; i++) CHECK(shmkit_participant_detach(loops + i) == 0);
  detach();
}

static void mail(void) {
  const uint32_t seed = (uint32_t)getpid() * 0x9E3779B1u ^ (uint32_t)shmkit_i_now();
  pid_t child;
  int status;
  uint32_t i;
  for (i = 0; i < 3; i++) {
    snprintf(paths[i], sizeof paths[i], "/dev/shm/shmkit-mailbox-%08x%08x%08x%08x", seed + i * 4,
      seed + i * 4 + 1, seed + i * 4 + 2, seed + i * 4 + 3);
  }
  /* The names go, whatever becomes of the child. */
  child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    mail_scenario(seed);
    _exit(0);
  }
  status = end_of(child);
  for (i = 0; i < 3; i++) unlink(paths[i]);
  CHECK(status == 0);
}

/* ---- */

static void name_of_refusal(void) {
  const int result = shmkit_participant_attach(&me, name, 0, 0);
  printf("%s ", result == 0 ? "0" : strerrorname_np(-result));
  if (result == 0) detach();
}

/* Takes part until it is told to go. */
static void stay(void) {
  attach();
  puts("attached");
  fflush(stdout);
  while (getchar() != EOF) continue;
  detach();
}

/* Holds the lock for a while after it was told to end. */
static void hold_until_told(void) {
  attach();
  CHECK(shmkit_mutex_lock(&me, &at->lock, 20000) == 0);
  puts("locked");
  fflush(stdout);
  CHECK(getchar() != EOF);
  nap(20);
  CHECK(shmkit_mutex_unlock(&me, &at->lock) == 0);
  detach();
}

static const struct {
  const char *name;
  void (*run)(void);
} scenarios[] = {
  {"misuse", misuse}, {"many", many}, {"full", full}, {"wrap", wrap},
  {"successor", successor},
  {"stopped_owner", stopped_owner}, {"stopped_demander", stopped_demander},
  {"killed_waiters", killed_waiters}, {"starvation", starvation}, {"demand", demand},
  {"thread", thread},
  {"number_again", number_again}, {"copy", copy}, {"descriptor", descriptor},
  {"ping_pong", ping_pong}, {"sets", sets}, {"gate", gate}, {"mail", mail},
  {"attach", name_of_refusal}, {"stay", stay}, {"hold_until_told", hold_until_told},
};

int main(int argc, char **argv) {
  size_t i;
  if (argc != 3) return 2;
  name = argv[2];
  for (i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
    if (strcmp(argv[1], scenarios[i].name) != 0) continue;
    scenarios[i].run();
    puts("ok");
    return 0;
  }
  return 2;
}
