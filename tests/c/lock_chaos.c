/*
 * Usage: lock_chaos NAME MUTEX RECORD CHILDREN KILLS PAUSE_US SEED shared|own COMMAND...
 *
 * Kills peers that lock a mutex, at random instructions, and starts others in their place:
 * COMMAND... SEED is one, with a number of its own. "own": each in a PID namespace of its own, as its
 * process 1. There are up to PAUSE_US between two kills. Half of those to be killed are stopped before, so that it is known which of them are
 * owners: for those it is waited until somebody has been told, and measured since the kernel freed the
 * byte of the dead. Prints one line of JSON. Ends with 1 when something failed, and says what.
 */
#define SHMKIT_IMPLEMENTATION
#include "shmkit.h"

#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

#include "lock_record.h"

#ifndef CLONE_NEWPID
#define CLONE_NEWPID 0x20000000
#endif

#define MAX_CHILDREN 64

static uint64_t state;
static pid_t children[MAX_CHILDREN];
static uint64_t name_spaces[MAX_CHILDREN];
static int count;

static uint32_t random_below(uint32_t limit) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (uint32_t)(state >> 32) % limit;
}

static void end(const char *what) {
  int i;
  fprintf(stderr, "lock_chaos: %s\n", what);
  for (i = 0; i < count; i++) {
    if (children[i] > 1) kill(children[i], SIGKILL);
  }
  exit(1);
}

static void nap(long us) {
  const struct timespec time = {us / 1000000, us % 1000000 * 1000};
  nanosleep(&time, NULL);
}

static void start(int i, int is_own, char **command, int arguments) {
  static unsigned seed;
  char text[16], path[32];
  char *argv[64];
  struct stat status;
  pid_t child;
  snprintf(text, sizeof text, "%u", ++seed);
  memcpy(argv, command, (size_t)arguments * sizeof *argv);
  argv[arguments] = text;
  argv[arguments + 1] = NULL;
  child = (pid_t)syscall(SYS_clone, (is_own ? CLONE_NEWPID : 0) | SIGCHLD, 0, 0, 0, 0);
  if (child < 0) end("cannot fork");
  if (child == 0) {
    execvp(argv[0], argv);
    _exit(127);
  }
  children[i] = child;
  snprintf(path, sizeof path, "/proc/%d/ns/pid", (int)child);
  name_spaces[i] = stat(path, &status) == 0 ? (uint64_t)status.st_ino : 0;
}

/* Whether the owner in a word is a child. */
static int is_owner(const shmkit_participant *me, uint32_t word, int i, int is_own) {
  const uint32_t slot = shmkit_i_slot_of(word & SHMKIT_I_OWNER);
  shmkit_i_identity identity;
  if (slot >= me->participants || !shmkit_i_read_slot(me, slot, &identity)) return 0;
  return shmkit_i_has_generation(&identity, word) && identity.name_space == name_spaces[i] &&
    identity.process == (is_own ? 1 : (uint32_t)children[i]);
}

/* Waits until others have gone on: or most kills would hit those who wait for the death of another. */
static void await_progress(const lock_record *record) {
  const uint64_t before = __atomic_load_n(&record->check, __ATOMIC_SEQ_CST);
  const int64_t limit = shmkit_i_now() + 20000 * SHMKIT_I_MS;
  while (__atomic_load_n(&record->check, __ATOMIC_SEQ_CST) < before + 10) {
    if (shmkit_i_now() > limit) end("nobody goes on after a death");
    nap(100);
  }
}

int main(int argc, char **argv) {
  shmkit_participant me;
  const uint32_t *word;
  lock_record *record;
  uint32_t pause;
  int i, kills, is_own, done, hits = 0, random_kills = 0;
  int64_t longest = 0;
  if (argc < 10 || argc > 60) return 2;
  count = atoi(argv[4]);
  kills = atoi(argv[5]);
  pause = (uint32_t)atol(argv[6]);
  state = strtoull(argv[7], NULL, 10) * 0x9E3779B97F4A7C15u + 1;
  is_own = strcmp(argv[8], "own") == 0;
  if (count > MAX_CHILDREN) return 2;
  if (shmkit_participant_attach(&me, argv[1], 0, 0) < 0) end("cannot attach");
  word = (const uint32_t *)(void *)((char *)shmkit_payload(&me) + atol(argv[2]));
  record = (lock_record *)(void *)((char *)shmkit_payload(&me) + atol(argv[3]));
  for (i = 0; i < count; i++) start(i, is_own, argv + 9, argc - 9);

  for (done = 0; done < kills; done++) {
    const int victim = (int)random_below((uint32_t)count);
    const uint32_t before = shmkit_i_load(&record->reports);
    uint32_t w = 0;
    int status, is_hit = 0;
    nap((long)random_below(pause));
    if (random_below(2) == 0) {
      random_kills++;
      kill(children[victim], SIGKILL);
    } else {
      kill(children[victim], SIGSTOP);
      if (waitpid(children[victim], &status, WUNTRACED) != children[victim]) end("cannot wait");
      if (!WIFSTOPPED(status)) end("a peer has ended by itself");
      w = shmkit_i_load(word);
      is_hit = is_owner(&me, w, victim, is_own);
      kill(children[victim], SIGKILL);
    }
    if (is_hit) {
      const uint32_t owner = w & SHMKIT_I_OWNER;
      const int64_t byte = SHMKIT_I_SLOT_LOCKS + shmkit_i_slot_of(owner);
      const int64_t limit = shmkit_i_now() + 20000 * SHMKIT_I_MS;
      int64_t freed;
      hits++;
      while (shmkit_i_is_byte_locked(me.fd, byte) == 1 &&
             (shmkit_i_load(word) & SHMKIT_I_OWNER) == owner) {
        if (shmkit_i_now() > limit) end("the byte of a dead peer stays locked");
      }
      freed = shmkit_i_now();
      while (shmkit_i_load(&record->reports) == before) {
        if (shmkit_i_now() > limit) end("nobody was told of the death of an owner");
        nap(100);
      }
      if (shmkit_i_now() - freed > longest) longest = shmkit_i_now() - freed;
    }
    if (waitpid(children[victim], &status, 0) != children[victim]) end("cannot wait");
    await_progress(record);
    if (!WIFSIGNALED(status)) end("a peer has ended by itself");
    start(victim, is_own, argv + 9, argc - 9);
  }

  __atomic_store_n(&record->stop, 1, __ATOMIC_SEQ_CST);
  for (i = 0; i < count; i++) {
    int status;
    if (waitpid(children[i], &status, 0) != children[i]) end("cannot wait");
    children[i] = 0;
    if (status != 0) end("a peer has failed");
  }
  if (shmkit_participant_detach(&me) < 0) end("cannot detach");
  printf("{\"kills\":%d,\"hits\":%d,\"randomKills\":%d,\"longestStallMs\":%.3f}\n", kills, hits,
    random_kills, (double)longest / 1e6);
  return 0;
}
