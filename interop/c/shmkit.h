/*
 * shmkit.h: takes part in the synchronisation of shmkit's objects, in C11 or C++11.
 *
 * Mutexes and events in shared memory that survive `kill -9` of anybody who takes part: programs in
 * C and C++ by this header, and in Deno, Bun and Node by the library. The protocols are described in
 * docs/synchronisation.md. Linux on 64-bit x86 or ARM; gcc or clang; no dependency but the C library.
 *
 *
 * HOW TO BUILD
 *
 * This is one header, with its functions where SHMKIT_IMPLEMENTATION is defined: so a program has
 * one copy of them, and only that one file sees the headers of the system that they need. Make a
 * file shmkit.c (or .cpp) of two lines, and compile it with the others:
 *
 *     #define SHMKIT_IMPLEMENTATION
 *     #include "shmkit.h"
 *
 * Everywhere else: #include "shmkit.h". It goes with what `shm layout` and Layout.toC() generate.
 *
 *
 * EXAMPLE
 *
 *     #include <stdio.h>
 *     #include "shmkit.h"
 *
 *     typedef struct { shmkit_mutex lock; shmkit_event changed; uint64_t count; } Counter;
 *
 *     int main(void) {
 *       shmkit_participant me;
 *       int result = shmkit_participant_attach(&me, "/counter", 0, 0);
 *       if (result < 0) return 1;
 *       if (shmkit_payload_size(&me) < sizeof(Counter)) return 2;
 *       Counter *counter = (Counter *)shmkit_payload(&me);
 *
 *       result = shmkit_mutex_lock(&me, &counter->lock, 1000);
 *       if (result < 0) return 3;                      // -ETIMEDOUT: it is NOT locked
 *       if (result == SHMKIT_OWNER_DIED) {             // it is locked, and the data may be half-changed
 *         counter->count = 0;                          // repair them
 *         shmkit_mutex_mark_consistent(&me, &counter->lock);
 *       }
 *       counter->count++;
 *       if (shmkit_mutex_unlock(&me, &counter->lock) < 0) return 4;
 *       shmkit_event_set(&me, &counter->changed);
 *
 *       return shmkit_participant_detach(&me) < 0;
 *     }
 *
 *
 * RETURN VALUES
 *
 * Every function that can fail returns an int: a negative error number is a failure, in which
 * nothing has happened; zero or more is success. errno says nothing afterwards. No function aborts,
 * prints, or raises a signal. All that take a participant return besides what is listed with them:
 *
 *     -EPERM   another thread attached it
 *     -ECHILD  this is a child made by fork(), and the participant is its parent's
 *     -EBADF   it is not attached (initialise what may not be attached: shmkit_participant p = {0};)
 *     -EINVAL  the mutex or event is not inside the payload of that object, or not aligned to 4
 *
 *
 * THREADS
 *
 * One shmkit_participant for each thread and object. A participant is an identity: others learn from
 * it who owns a lock, and whether that one is alive. So only the thread that attached it may use it,
 * and must detach it before it ends. (When it does not, others see that it has died; its memory and
 * its descriptor are lost, and the next that attaches in this process frees its place in the table.)
 * A participant must not be copied or moved while it is attached.
 *
 * fork() without exec() makes a child that shares what tells of its parent's life: until the child
 * has detached the parent's participants (which ends nothing of the parent's), execs or ends, the
 * parent's death may go unnoticed in other PID namespaces. It then attaches participants of its own.
 *
 * No function may be called in a signal handler. Signals interrupt no wait.
 *
 *
 * WHEN SOMEBODY DIES
 *
 * ... with a mutex locked: who waits next gets it, at the latest 50 ms after the kernel has freed
 *     the memory of the dead, and is told SHMKIT_OWNER_DIED; so is everybody after it, until one has
 *     repaired the data and called shmkit_mutex_mark_consistent().
 * ... while it waits: nothing. A wake-up that it got is made up for within 50 ms.
 * ... at any other instruction: nothing.
 *
 * Who is stopped (SIGSTOP, a debugger) is not dead: its locks stay its own.
 */
#ifndef SHMKIT_H
#define SHMKIT_H

#if !defined(__linux__) || !defined(__LP64__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "shmkit.h needs 64-bit, little-endian Linux"
#endif
#if !defined(__GNUC__)
#error "shmkit.h needs the atomic builtins of gcc or clang"
#endif

/* Before the first header of the system: it decides what they declare. */
#if defined(SHMKIT_IMPLEMENTATION) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What lies in shared memory. Zeros are the initial state of each. Never write to them, and never
 * copy them. Generated headers of layouts define the same, whichever comes first.
 */
#ifndef SHMKIT_TYPE_struct_shmkit_mutex
#define SHMKIT_TYPE_struct_shmkit_mutex
typedef struct shmkit_mutex { uint32_t words[4]; } shmkit_mutex;
#endif
#ifndef SHMKIT_TYPE_struct_shmkit_event /* stays set until it is reset */
#define SHMKIT_TYPE_struct_shmkit_event
typedef struct shmkit_event { uint32_t words[4]; } shmkit_event;
#endif
#ifndef SHMKIT_TYPE_struct_shmkit_auto_reset_event /* whoever waits takes it */
#define SHMKIT_TYPE_struct_shmkit_auto_reset_event
typedef struct shmkit_auto_reset_event { uint32_t words[4]; } shmkit_auto_reset_event;
#endif

/* A lock was granted whose owner had died. */
#define SHMKIT_OWNER_DIED 1
/* -ESTALE: the lock was this participant's, and somebody has written over it, or taken it. */
#define SHMKIT_LOCK_LOST (-116)
/* For ever, as a time-out. */
#define SHMKIT_FOREVER (-1)
/* For attaching: another user may own the object, or everybody may write to it. */
#define SHMKIT_TRUST_ANYONE 1u

#define SHMKIT_USE_RESULT __attribute__((warn_unused_result))

/* How many mailboxes of event loops a participant keeps open. */
#define SHMKIT_MAILBOXES 8

/* A thread at an object. Everything in it is private; it takes about 400 bytes. */
typedef struct shmkit_participant {
  unsigned char *base;
  uint64_t length, payload, slots, waiters, fingerprint, name_space;
  uint32_t *slot;
  unsigned char *guard;
  uint64_t *held;
  uint32_t held_count, held_capacity;
  uint32_t id, kind, participants, slot_length, process, thread, turn;
  int fd;
  struct {
    uint32_t id, name[4];
    int fd;
  } mailboxes[SHMKIT_MAILBOXES];
} shmkit_participant;

/*
 * Attaches the calling thread to the object with a name in /dev/shm: "/player" and "player" are the
 * same. Does not wait.
 *
 * fingerprint: of its layout, as the generated header has it (Player_FINGERPRINT): an object with
 *              another one is refused. 0: it is not compared; then compare at least
 *              shmkit_payload_size().
 * flags:       0, or SHMKIT_TRUST_ANYONE.
 *
 * Returns 0, or
 *   -EINVAL           no name (it is empty, or has more slashes), or what it names is no memory
 *   -ENOENT, -EACCES  as open(2) says; -ELOOP: it is a symbolic link
 *   -EPERM            somebody else owns it, every user may write to it, or it has several names
 *   -EAGAIN           it is just being made or removed: try again soon
 *   -EPROTO           it is no object with a layout, or has another one
 *   -EPROTONOSUPPORT  its format has another version
 *   -EBADMSG          it is damaged: sizes or checksum are wrong
 *   -EUSERS           as many take part as it has room for (its option `participants`)
 *   -ENOMEM, -EMFILE  and what else open(2), mmap(2) and fcntl(2) say
 */
SHMKIT_USE_RESULT int shmkit_participant_attach(shmkit_participant *p, const char *name,
  uint64_t fingerprint, unsigned flags);

/*
 * The same for the object behind a descriptor, such as that of an anonymous object (memfd). The
 * descriptor stays the caller's. Needs /proc. Whose it is, is not asked.
 */
SHMKIT_USE_RESULT int shmkit_participant_attach_fd(shmkit_participant *p, int fd,
  uint64_t fingerprint);

/*
 * Ends taking part, and unmaps the memory: every pointer into it is invalid. Returns 0, or -EBUSY
 * while it holds a lock: then nothing has happened. In a child made by fork() it frees what the child
 * has got of its parent, and the parent notices nothing.
 */
int shmkit_participant_detach(shmkit_participant *p);

/* Where the payload is; NULL when nothing is attached. It is aligned to a page. */
void *shmkit_payload(const shmkit_participant *p);
/* Its bytes, without those of the library behind it. 0 when nothing is attached. */
size_t shmkit_payload_size(const shmkit_participant *p);
/*
 * What it is: 1 an object with a layout; 2 a SharedMutex, 6 a SharedEvent, 7 the same with automatic
 * reset, whose payload is that and nothing else. 0 when nothing is attached.
 */
int shmkit_payload_kind(const shmkit_participant *p);
/* The fingerprint of its layout. */
uint64_t shmkit_payload_fingerprint(const shmkit_participant *p);

/*
 * Locks. Who has waited for 100 ms is next.
 *
 * timeout_ms: how long to wait; 0: not at all; SHMKIT_FOREVER, or any other negative number.
 *
 * Returns 0, or SHMKIT_OWNER_DIED (1): it is locked; or
 *   -ETIMEDOUT        it was not to be had in that time: it is not locked
 *   -EDEADLK          this thread holds it already
 *   -ENOMEM           there is no memory to note that it is held
 */
SHMKIT_USE_RESULT int shmkit_mutex_lock(shmkit_participant *p, shmkit_mutex *mutex, int timeout_ms);
/* The same without waiting: -EBUSY when somebody holds it. */
SHMKIT_USE_RESULT int shmkit_mutex_trylock(shmkit_participant *p, shmkit_mutex *mutex);
/*
 * Says that the data are whole again after SHMKIT_OWNER_DIED. Returns 0, also when they were; -EPERM
 * when this participant does not hold it, SHMKIT_LOCK_LOST when it has lost it.
 */
int shmkit_mutex_mark_consistent(shmkit_participant *p, shmkit_mutex *mutex);
/*
 * Unlocks. Returns 0; -EPERM when this participant does not hold it; SHMKIT_LOCK_LOST when it does
 * no longer (then it is not locked by it afterwards either, and others may have changed the data).
 */
int shmkit_mutex_unlock(shmkit_participant *p, shmkit_mutex *mutex);

/* Sets an event: all who wait go on, and nobody waits until it is reset. Returns 0. */
int shmkit_event_set(shmkit_participant *p, shmkit_event *event);
/* Returns 0. */
int shmkit_event_reset(shmkit_participant *p, shmkit_event *event);
/* Returns 1 when it is set, 0 when not. */
int shmkit_event_is_set(shmkit_participant *p, const shmkit_event *event);
/*
 * Waits until it is set, or has been since the call. Returns 0, or -ETIMEDOUT. timeout_ms as with a
 * mutex.
 */
SHMKIT_USE_RESULT int shmkit_event_wait(shmkit_participant *p, shmkit_event *event, int timeout_ms);

/* The same for those that one wait resets: each set ends one wait, now or later. */
int shmkit_auto_reset_event_set(shmkit_participant *p, shmkit_auto_reset_event *event);
int shmkit_auto_reset_event_reset(shmkit_participant *p, shmkit_auto_reset_event *event);
int shmkit_auto_reset_event_is_set(shmkit_participant *p, const shmkit_auto_reset_event *event);
SHMKIT_USE_RESULT int shmkit_auto_reset_event_wait(shmkit_participant *p,
  shmkit_auto_reset_event *event, int timeout_ms);

#ifdef __cplusplus
}
#endif
#endif /* SHMKIT_H */

#if defined(SHMKIT_IMPLEMENTATION) && !defined(SHMKIT_IMPLEMENTED)
#define SHMKIT_IMPLEMENTED

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#if !defined(F_OFD_SETLK) || !defined(SYS_futex) || !defined(SYS_tgkill)
#error "include shmkit.h first in the file with SHMKIT_IMPLEMENTATION, or define _GNU_SOURCE there"
#endif
#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Memory ordering: every access to a shared word is sequentially consistent. The protocols write one
 * word and then read another (the interest and then the state, the slot and then the lock), which
 * nothing weaker keeps in order.
 */
static uint32_t shmkit_i_load(const uint32_t *word) {
  return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static void shmkit_i_store(uint32_t *word, uint32_t value) {
  __atomic_store_n(word, value, __ATOMIC_SEQ_CST);
}

static int shmkit_i_exchange(uint32_t *word, uint32_t from, uint32_t to) {
  return __atomic_compare_exchange_n(word, &from, to, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static void shmkit_i_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield");
#endif
}

/* ---- numbers */

#define SHMKIT_I_MS INT64_C(1000000)
#define SHMKIT_I_SLICE (50 * SHMKIT_I_MS)
#define SHMKIT_I_DEMAND (100 * SHMKIT_I_MS)
#define SHMKIT_I_POLITE (10 * SHMKIT_I_MS)
#define SHMKIT_I_SPINS 100

#define SHMKIT_I_LIFETIME_LOCK (INT64_C(1) << 52)
#define SHMKIT_I_SLOT_LOCKS ((INT64_C(1) << 52) + 1024)
#define SHMKIT_I_SWEEP_LOCKS ((INT64_C(1) << 53) - (INT64_C(1) << 32))
#define SHMKIT_I_GENERATIONS 0xFFFFFu

/* The words of a slot. */
enum {
  SHMKIT_I_GENERATION = 0,
  SHMKIT_I_THREAD = 1,
  SHMKIT_I_PROCESS = 2,
  SHMKIT_I_DESCRIPTOR = 3,
  SHMKIT_I_START = 4,
  SHMKIT_I_NAMESPACE = 6,
  SHMKIT_I_MAILBOX = 8,
  SHMKIT_I_INTEREST = 12,
  SHMKIT_I_SLEEPING = 14,
  SHMKIT_I_AWAITING = 15,
  SHMKIT_I_LAST_HANDLE = 23,
  SHMKIT_I_SLOT_BYTES = 96,
  SHMKIT_I_BITMAPS_BYTES = 256 /* two: the waiters, and those who have shared a lock */
};

/* ---- the kernel */

static int64_t shmkit_i_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 * SHMKIT_I_MS + now.tv_nsec;
}

/* Sleeps while the word has the value, or less long. */
static void shmkit_i_futex_wait(const uint32_t *word, uint32_t value, int64_t duration) {
  struct timespec timeout;
  if (duration <= 0) return;
  timeout.tv_sec = (time_t)(duration / (1000 * SHMKIT_I_MS));
  timeout.tv_nsec = (long)(duration % (1000 * SHMKIT_I_MS));
  syscall(SYS_futex, word, 0 /* FUTEX_WAIT, shared */, value, &timeout, NULL, 0);
}

/* Wakes some. Returns how many slept. */
static long shmkit_i_futex_wake(uint32_t *word, int count) {
  const long woken = syscall(SYS_futex, word, 1 /* FUTEX_WAKE, shared */, count, NULL, NULL, 0);
  return woken < 0 ? 0 : woken;
}

/* Locks or unlocks a byte of an open file description, without waiting. */
static int shmkit_i_lock_byte(int fd, short type, int64_t byte) {
  struct flock lock;
  memset(&lock, 0, sizeof lock);
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = byte;
  lock.l_len = 1;
  if (fcntl(fd, F_OFD_SETLK, &lock) == 0) return 0;
  return errno == EACCES ? -EAGAIN : -errno;
}

/* Whether another description has locked a byte: 1 or 0, or a negative error number. */
static int shmkit_i_is_byte_locked(int fd, int64_t byte) {
  struct flock lock;
  memset(&lock, 0, sizeof lock);
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = byte;
  lock.l_len = 1;
  if (fcntl(fd, F_OFD_GETLK, &lock) != 0) return -errno;
  return lock.l_type != F_UNLCK;
}

/* Whether a thread of this PID namespace has gone for certain. */
static int shmkit_i_is_thread_gone(uint32_t process, uint32_t thread) {
  return syscall(SYS_tgkill, (pid_t)process, (pid_t)thread, 0) != 0 && errno == ESRCH;
}

/* The number of this PID namespace; 0 when nobody says it. */
static uint64_t shmkit_i_name_space(void) {
  struct stat status;
  return stat("/proc/self/ns/pid", &status) == 0 ? (uint64_t)status.st_ino : 0;
}

/* When this thread started, in clock ticks since boot; 0 when nobody says it. */
static uint64_t shmkit_i_start(void) {
  char text[1024];
  const char *at;
  ssize_t length;
  int field;
  const int fd = open("/proc/thread-self/stat", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  length = read(fd, text, sizeof text - 1);
  close(fd);
  if (length <= 0) return 0;
  text[length] = '\0';
  at = strrchr(text, ')'); /* the name before may have blanks in it */
  for (field = 2; at != NULL && field < 22; field++) at = strchr(at + 1, ' ');
  return at == NULL ? 0 : strtoull(at + 1, NULL, 10);
}

/* ---- the trailer */

static uint64_t shmkit_i_number(const unsigned char *bytes, int count) {
  uint64_t number = 0;
  while (count-- > 0) number = number << 8 | bytes[count];
  return number;
}

/* CRC-32 of IEEE 802.3, by half bytes. Begins with 0. */
static uint32_t shmkit_i_crc32(uint32_t crc, const unsigned char *bytes, size_t length) {
  static const uint32_t table[16] = {
    0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
    0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
  crc = ~crc;
  while (length-- > 0) {
    crc ^= *bytes++;
    crc = crc >> 4 ^ table[crc & 15];
    crc = crc >> 4 ^ table[crc & 15];
  }
  return ~crc;
}

/* Reads a part of a file: by a call, and once, so that what was checked cannot change. */
static int shmkit_i_read(int fd, unsigned char *bytes, size_t length, uint64_t offset) {
  size_t count = 0;
  while (count < length) {
    const ssize_t got = pread(fd, bytes + count, length - count, (off_t)(offset + count));
    if (got == 0) return -EBADMSG; /* it has become shorter */
    if (got > 0) count += (size_t)got;
    else if (errno != EINTR) return -errno;
  }
  return 0;
}

/* Fills what a participant knows of its object. */
static int shmkit_i_read_trailer(shmkit_participant *p, int fd, uint64_t fingerprint) {
  static const unsigned char magic[8] = {0x89, 's', 'h', 'm', 'k', 'i', 't', 0x0a};
  unsigned char trailer[64], part[4096];
  uint64_t rows, tables, schema, end, at, schema_length, waiters_length;
  uint32_t crc = 0;
  int result;
  if (p->length < 64) return -EPROTO;
  result = shmkit_i_read(fd, trailer, sizeof trailer, p->length - 64);
  if (result < 0) return result;
  if (memcmp(trailer, magic, sizeof magic) != 0) return -EPROTO;
  if (shmkit_i_number(trailer + 8, 2) != 1) return -EPROTONOSUPPORT;

  p->participants = (uint32_t)shmkit_i_number(trailer + 14, 2);
  p->payload = shmkit_i_number(trailer + 16, 8);
  p->slot_length = (uint32_t)shmkit_i_number(trailer + 24, 4);
  rows = shmkit_i_number(trailer + 28, 4);
  waiters_length = shmkit_i_number(trailer + 32, 4);
  schema_length = shmkit_i_number(trailer + 36, 4);
  p->fingerprint = shmkit_i_number(trailer + 40, 8);
  if (shmkit_i_number(trailer + 12, 2) > 2) return -EBADMSG;
  if (p->participants < 1 || p->participants > 1000) return -EBADMSG;
  if (p->payload < 1 || p->payload > p->length) return -EBADMSG;
  tables = p->slot_length | rows | waiters_length;
  if (tables % 8 != 0 || tables >= UINT64_C(1) << 27) return -EBADMSG;
  if (schema_length > UINT64_C(1) << 22) return -EBADMSG;

  p->slots = (p->payload + 127) / 128 * 128;
  p->waiters = p->slots + p->participants * ((uint64_t)p->slot_length + rows);
  schema = p->waiters + waiters_length;
  end = (schema + schema_length + 7) / 8 * 8;
  if ((end + 64) % 4096 == 0) end += 8;
  if (end + 64 != p->length) return -EBADMSG;

  for (at = 0; at < schema_length; at += sizeof part) {
    const uint64_t left = schema_length - at;
    const size_t length = left < sizeof part ? (size_t)left : sizeof part;
    result = shmkit_i_read(fd, part, length, schema + at);
    if (result < 0) return result;
    crc = shmkit_i_crc32(crc, part, length);
  }
  crc = shmkit_i_crc32(crc, trailer, 60);
  if (crc != shmkit_i_number(trailer + 60, 4)) return -EBADMSG;

  p->kind = (uint32_t)shmkit_i_number(trailer + 10, 2);
  if (p->kind < 1 || p->kind > 9) return -EPROTO;
  if (fingerprint != 0 && fingerprint != p->fingerprint) return -EPROTO;
  /* Without room for what the protocols need, nobody takes part. */
  if (p->slot_length < SHMKIT_I_SLOT_BYTES || waiters_length < SHMKIT_I_BITMAPS_BYTES) {
    return -EPROTO;
  }
  return (int)shmkit_i_number(trailer + 12, 2);
}

/* ---- participants */

/* The thread's number: 0 in a new thread, also where an old one's memory was. */
static __thread uint32_t shmkit_i_thread;

static uint32_t *shmkit_i_slot_at(const shmkit_participant *p, uint32_t slot) {
  return (uint32_t *)(void *)(p->base + p->slots + (uint64_t)slot * p->slot_length);
}

/* What a slot says. `thread` is read before the rest, which stands when it does. */
typedef struct shmkit_i_identity {
  uint32_t generation, thread, process, descriptor, mailbox[4], interest[2];
  uint64_t name_space;
} shmkit_i_identity;

/* Reads a slot. Returns 0 when it has changed hands meanwhile. */
static int shmkit_i_read_slot(const shmkit_participant *p, uint32_t slot,
  shmkit_i_identity *identity) {
  const uint32_t *words = shmkit_i_slot_at(p, slot);
  int i;
  identity->generation = shmkit_i_load(words + SHMKIT_I_GENERATION);
  identity->thread = shmkit_i_load(words + SHMKIT_I_THREAD);
  identity->process = shmkit_i_load(words + SHMKIT_I_PROCESS);
  identity->descriptor = shmkit_i_load(words + SHMKIT_I_DESCRIPTOR);
  identity->name_space = shmkit_i_load(words + SHMKIT_I_NAMESPACE);
  identity->name_space |= (uint64_t)shmkit_i_load(words + SHMKIT_I_NAMESPACE + 1) << 32;
  for (i = 0; i < 4; i++) identity->mailbox[i] = shmkit_i_load(words + SHMKIT_I_MAILBOX + i);
  for (i = 0; i < 2; i++) identity->interest[i] = shmkit_i_load(words + SHMKIT_I_INTEREST + i);
  return shmkit_i_load(words + SHMKIT_I_GENERATION) == identity->generation;
}

/* Whether a slot says that it belongs to a thread of this PID namespace, of which the number is known. */
static int shmkit_i_is_near(const shmkit_participant *p, const shmkit_i_identity *identity) {
  return identity->thread != 0 && p->name_space != 0 && identity->name_space == p->name_space;
}

/* The slot of an id; its number is too large when there is none. */
static uint32_t shmkit_i_slot_of(uint32_t id) {
  return (id & 1023) - 1;
}

static int shmkit_i_has_generation(const shmkit_i_identity *identity, uint32_t id) {
  return (identity->generation & SHMKIT_I_GENERATIONS) == (id >> 10 & SHMKIT_I_GENERATIONS);
}

/* Whether the participant with an id has died: it stays so. One's own id is never asked for. */
static int shmkit_i_is_dead(const shmkit_participant *p, uint32_t id) {
  const uint32_t slot = shmkit_i_slot_of(id);
  shmkit_i_identity identity;
  if (slot >= p->participants) return 1;
  if (!shmkit_i_read_slot(p, slot, &identity)) return 1;
  if (!shmkit_i_has_generation(&identity, id)) return 1;
  if (shmkit_i_is_byte_locked(p->fd, SHMKIT_I_SLOT_LOCKS + slot) == 0) return 1;
  return shmkit_i_is_near(p, &identity) &&
    shmkit_i_is_thread_gone(identity.process, identity.thread);
}

/* Whether an owner is this very thread, by another participant. */
static int shmkit_i_is_self(const shmkit_participant *p, uint32_t id) {
  const uint32_t slot = shmkit_i_slot_of(id);
  shmkit_i_identity identity;
  return slot < p->participants && shmkit_i_read_slot(p, slot, &identity) &&
    shmkit_i_is_near(p, &identity) && identity.process == p->process &&
    identity.thread == p->thread && !shmkit_i_is_dead(p, id);
}

/* Frees the slot of a thread of this process that ended without detaching. */
static void shmkit_i_sweep_slot(shmkit_participant *p, uint32_t slot, const struct stat *own) {
  const int64_t byte = SHMKIT_I_SLOT_LOCKS + slot;
  shmkit_i_identity identity;
  struct stat status;
  int fd, is_ours;
  if (!shmkit_i_read_slot(p, slot, &identity) || !shmkit_i_is_near(p, &identity)) return;
  if (identity.process != p->process) return;
  if (!shmkit_i_is_thread_gone(identity.process, identity.thread)) return;
  fd = (int)identity.descriptor;
  if (fd < 0 || fd == p->fd || fstat(fd, &status) != 0) return;
  if (status.st_dev != own->st_dev || status.st_ino != own->st_ino) return;
  /*
   * An earlier process may have had the same number, and its descriptor's number may be that of a
   * living thread's here. Only if this description has the lock, others see it and it does not.
   */
  if (shmkit_i_is_byte_locked(p->fd, byte) != 1) return;
  if (shmkit_i_is_byte_locked(fd, byte) != 0) return;
  if (shmkit_i_lock_byte(fd, F_UNLCK, byte) < 0) return;
  is_ours = shmkit_i_lock_byte(p->fd, F_WRLCK, byte) == 0;
  if (is_ours) shmkit_i_store(shmkit_i_slot_at(p, slot) + SHMKIT_I_THREAD, 0);
  close(fd);
  if (is_ours) shmkit_i_lock_byte(p->fd, F_UNLCK, byte);
}

static void shmkit_i_sweep(shmkit_participant *p, const struct stat *own) {
  const int64_t byte = SHMKIT_I_SWEEP_LOCKS + p->process;
  uint32_t slot;
  if (shmkit_i_lock_byte(p->fd, F_WRLCK, byte) < 0) return; /* another thread is at it */
  for (slot = 0; slot < p->participants; slot++) shmkit_i_sweep_slot(p, slot, own);
  shmkit_i_lock_byte(p->fd, F_UNLCK, byte);
}

static void shmkit_i_mailbox_path(char path[64], const uint32_t name[4]) {
  snprintf(path, 64, "/dev/shm/shmkit-mailbox-%08x%08x%08x%08x", name[0], name[1], name[2], name[3]);
}

/* Removes what whoever had a slot before has left: its mailbox, if nobody reads it, and its bits. */
static void shmkit_i_clear_slot(shmkit_participant *p, uint32_t slot) {
  uint32_t *bitmaps = (uint32_t *)(void *)(p->base + p->waiters);
  uint32_t name[4], i;
  for (i = 0; i < 4; i++) name[i] = shmkit_i_load(p->slot + SHMKIT_I_MAILBOX + i);
  if ((name[0] | name[1] | name[2] | name[3]) != 0) {
    char path[64];
    int fd;
    shmkit_i_mailbox_path(path, name);
    fd = open(path, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY);
    if (fd >= 0) close(fd);
    else if (errno == ENXIO) unlink(path);
  }
  for (i = SHMKIT_I_MAILBOX; i <= SHMKIT_I_LAST_HANDLE; i++) shmkit_i_store(p->slot + i, 0);
  for (i = 0; i < 2; i++) {
    __atomic_fetch_and(bitmaps + 32 * i + slot / 32, ~(1u << slot % 32), __ATOMIC_SEQ_CST);
  }
}

/* Takes a free slot. */
static int shmkit_i_take_slot(shmkit_participant *p) {
  const uint32_t first = p->turn % p->participants;
  const uint64_t start = shmkit_i_start();
  uint32_t i, generation;
  int result = -EAGAIN;
  for (i = 0; i < p->participants; i++) {
    const uint32_t slot = (first + i) % p->participants;
    result = shmkit_i_lock_byte(p->fd, F_WRLCK, SHMKIT_I_SLOT_LOCKS + slot);
    if (result == -EAGAIN) continue;
    if (result < 0) return result;
    p->slot = shmkit_i_slot_at(p, slot);
    /* P1: whoever reads the new generation and a thread reads what belongs to both: 0 comes first. */
    shmkit_i_store(p->slot + SHMKIT_I_THREAD, 0);
    generation = __atomic_add_fetch(p->slot + SHMKIT_I_GENERATION, 1, __ATOMIC_SEQ_CST);
    shmkit_i_store(p->slot + SHMKIT_I_PROCESS, p->process);
    shmkit_i_store(p->slot + SHMKIT_I_DESCRIPTOR, (uint32_t)p->fd);
    shmkit_i_store(p->slot + SHMKIT_I_START, (uint32_t)start);
    shmkit_i_store(p->slot + SHMKIT_I_START + 1, (uint32_t)(start >> 32));
    shmkit_i_store(p->slot + SHMKIT_I_NAMESPACE, (uint32_t)p->name_space);
    shmkit_i_store(p->slot + SHMKIT_I_NAMESPACE + 1, (uint32_t)(p->name_space >> 32));
    shmkit_i_clear_slot(p, slot);
    shmkit_i_store(p->slot + SHMKIT_I_THREAD, p->thread);
    p->id = (generation & SHMKIT_I_GENERATIONS) << 10 | (slot + 1);
    return 0;
  }
  return -EUSERS;
}

/* Frees all that a participant has of this process. */
static void shmkit_i_release(shmkit_participant *p) {
  int i;
  for (i = 0; i < SHMKIT_MAILBOXES; i++) {
    if (p->mailboxes[i].id != 0) close(p->mailboxes[i].fd);
  }
  if (p->base != NULL) munmap(p->base, p->length);
  if (p->guard != NULL) munmap(p->guard, 1);
  free(p->held);
  if (p->fd > 0) close(p->fd);
  memset(p, 0, sizeof *p);
}

/* Attaches to an open file, which is of the participant from here on. */
static int shmkit_i_attach(shmkit_participant *p, int fd, uint64_t fingerprint, int is_named,
  unsigned flags) {
  struct stat status;
  void *memory;
  int result;
  p->fd = fd;
  if (fstat(fd, &status) != 0) return -errno;
  if (!S_ISREG(status.st_mode)) return -EINVAL;
  if (is_named && (flags & SHMKIT_TRUST_ANYONE) == 0) {
    if (status.st_uid != geteuid() || (status.st_mode & S_IWOTH) != 0) return -EPERM;
  }
  if (is_named && status.st_nlink > 1) return -EPERM;
  if (status.st_size == 0) return -EAGAIN;
  p->length = (uint64_t)status.st_size;
  result = shmkit_i_read_trailer(p, fd, fingerprint);
  if (result < 0) return result;

  /* Lifetime "lastDetach": the name stays while somebody has this lock, which ends with the mapping. */
  if (result == 2) {
    const int is_locked = shmkit_i_is_byte_locked(fd, SHMKIT_I_LIFETIME_LOCK);
    if (is_locked < 0) return is_locked;
    if (is_named && is_locked == 0) return -ENOENT; /* all have died: the next who looks removes it */
    result = shmkit_i_lock_byte(fd, F_RDLCK, SHMKIT_I_LIFETIME_LOCK);
    if (result < 0) return result;
    if (fstat(fd, &status) != 0) return -errno;
    if (is_named && status.st_nlink == 0) return -EAGAIN;
  }

  p->held_capacity = 16;
  p->held = (uint64_t *)malloc(p->held_capacity * sizeof *p->held);
  if (p->held == NULL) return -ENOMEM;
  /* A child made by fork() finds zeros here. */
  memory = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return -errno;
  p->guard = (unsigned char *)memory;
  madvise(p->guard, 1, MADV_WIPEONFORK); /* before Linux 4.14, mistakes stay unnoticed */
  *p->guard = 1;
  memory = mmap(NULL, p->length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) return -errno;
  p->base = (unsigned char *)memory;

  shmkit_i_thread = (uint32_t)syscall(SYS_gettid);
  p->thread = shmkit_i_thread;
  p->process = (uint32_t)getpid();
  p->name_space = shmkit_i_name_space();
  p->turn = ((uint32_t)shmkit_i_now() ^ p->thread * 0x9E3779B1u) * 0x85EBCA6Bu >> 8;
  shmkit_i_sweep(p, &status);
  return shmkit_i_take_slot(p);
}

static int shmkit_i_open(shmkit_participant *p, const char *path, uint64_t fingerprint, int is_named,
  unsigned flags) {
  const int follow = is_named ? O_NOFOLLOW : 0;
  int result, fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | follow);
  if (fd < 0) return errno == ENXIO || errno == EISDIR ? -EINVAL : -errno;
  if (fd == 0) { /* 0 is none, so that a participant of zeros is not attached */
    fd = fcntl(0, F_DUPFD_CLOEXEC, 1);
    result = errno;
    close(0);
    if (fd < 0) return -result;
  }
  result = shmkit_i_attach(p, fd, fingerprint, is_named, flags);
  if (result < 0) shmkit_i_release(p);
  return result;
}

int shmkit_participant_attach(shmkit_participant *p, const char *name, uint64_t fingerprint,
  unsigned flags) {
  static const char directory[] = "/dev/shm/";
  char path[sizeof directory + 255];
  size_t length;
  if (p == NULL || name == NULL) return -EINVAL;
  memset(p, 0, sizeof *p);
  if (*name == '/') name++;
  length = strlen(name);
  if (length == 0 || length > 255 || strchr(name, '/') != NULL) return -EINVAL;
  memcpy(path, directory, sizeof directory - 1);
  memcpy(path + sizeof directory - 1, name, length + 1);
  return shmkit_i_open(p, path, fingerprint, 1, flags);
}

int shmkit_participant_attach_fd(shmkit_participant *p, int fd, uint64_t fingerprint) {
  char path[32];
  if (p == NULL) return -EINVAL;
  memset(p, 0, sizeof *p);
  if (fd < 0) return -EBADF;
  /* A description of its own: the caller's may be shared with other processes, and so its locks. */
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  return shmkit_i_open(p, path, fingerprint, 0, 0);
}

/* Whether this thread may use a participant. */
static int shmkit_i_check(const shmkit_participant *p) {
  if (p == NULL || p->base == NULL) return -EBADF;
  if (*p->guard == 0) return -ECHILD;
  return p->thread == shmkit_i_thread ? 0 : -EPERM;
}

int shmkit_participant_detach(shmkit_participant *p) {
  const int result = shmkit_i_check(p);
  int i;
  if (result == -ECHILD || (result != -EBADF && p->process != (uint32_t)getpid())) {
    shmkit_i_release(p); /* no unlocking: that would unlock what is the parent's */
    return 0;
  }
  if (result < 0) return result;
  if (p->held_count > 0) return -EBUSY;
  shmkit_i_store(p->slot + SHMKIT_I_THREAD, 0);
  for (i = 0; i < 4; i++) shmkit_i_store(p->slot + SHMKIT_I_MAILBOX + i, 0);
  shmkit_i_lock_byte(p->fd, F_UNLCK, SHMKIT_I_SLOT_LOCKS + shmkit_i_slot_of(p->id));
  shmkit_i_release(p);
  return 0;
}

void *shmkit_payload(const shmkit_participant *p) {
  return p->base;
}

size_t shmkit_payload_size(const shmkit_participant *p) {
  return p->base == NULL ? 0 : (size_t)p->payload;
}

int shmkit_payload_kind(const shmkit_participant *p) {
  return p->base == NULL ? 0 : (int)p->kind;
}

uint64_t shmkit_payload_fingerprint(const shmkit_participant *p) {
  return p->base == NULL ? 0 : p->fingerprint;
}

/* ---- mail to event loops */

/* Writes a byte to a FIFO. Whether there is mail in it now. */
static int shmkit_i_write(int fd) {
  ssize_t written;
  do {
    written = write(fd, "", 1);
  } while (written < 0 && errno == EINTR);
  return written == 1 || errno == EAGAIN; /* it is full: there is mail already */
}

/*
 * Opens a mailbox. A name is not trusted to be one. It is opened for reading, too, though it is not
 * read: where nobody reads, a write would raise SIGPIPE, which ends a process.
 */
static int shmkit_i_open_mailbox(const uint32_t name[4]) {
  char path[64];
  struct stat status;
  int fd;
  shmkit_i_mailbox_path(path, name);
  fd = open(path, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) return -1;
  if (fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode)) return fd;
  close(fd);
  return -1;
}

/*
 * Mails the participant in a slot. Whether its event loop gets it: not that of the dead, whose mailbox
 * may still be there, and even open.
 */
static int shmkit_i_mail_slot(shmkit_participant *p, uint32_t slot,
  const shmkit_i_identity *identity) {
  const uint32_t id = (identity->generation & SHMKIT_I_GENERATIONS) << 10 | (slot + 1);
  const uint32_t *name = identity->mailbox;
  const uint32_t i = slot % SHMKIT_MAILBOXES;
  if ((name[0] | name[1] | name[2] | name[3]) == 0) return 0;
  if (id != p->id && shmkit_i_is_dead(p, id)) return 0;
  if (p->mailboxes[i].id != id || memcmp(p->mailboxes[i].name, name, 4 * sizeof *name) != 0) {
    const int fd = shmkit_i_open_mailbox(name);
    if (fd < 0) return 0;
    if (p->mailboxes[i].id != 0) close(p->mailboxes[i].fd);
    p->mailboxes[i].id = id;
    p->mailboxes[i].fd = fd;
    memcpy(p->mailboxes[i].name, name, 4 * sizeof *name);
  }
  if (shmkit_i_write(p->mailboxes[i].fd)) return 1;
  close(p->mailboxes[i].fd);
  p->mailboxes[i].id = 0;
  return 0;
}

/* Mails a participant by its id. */
static void shmkit_i_mail_id(shmkit_participant *p, uint32_t id) {
  const uint32_t slot = shmkit_i_slot_of(id);
  shmkit_i_identity identity;
  if (slot >= p->participants || !shmkit_i_read_slot(p, slot, &identity)) return;
  if (shmkit_i_has_generation(&identity, id)) shmkit_i_mail_slot(p, slot, &identity);
}

/* Mails the event loops that wait for a word, until so many have got it. */
static void shmkit_i_mail(shmkit_participant *p, const uint32_t *word, uint32_t count) {
  const uint32_t *bitmap = (const uint32_t *)(const void *)(p->base + p->waiters);
  const uint64_t position = (uint64_t)((const unsigned char *)(const void *)word - p->base);
  const uint32_t bit = ((uint32_t)(position / 4) * 0x9E3779B1u) >> 26;
  const uint32_t first = p->turn++ % p->participants;
  uint32_t i = 0;
  while (i < p->participants && count > 0) {
    const uint32_t slot = (first + i) % p->participants;
    const uint32_t bits = shmkit_i_load(bitmap + slot / 32);
    shmkit_i_identity identity;
    if (bits == 0 && slot % 32 == 0) {
      i += p->participants - slot < 32 ? p->participants - slot : 32;
      continue;
    }
    i++;
    if ((bits >> slot % 32 & 1) == 0 || !shmkit_i_read_slot(p, slot, &identity)) continue;
    if ((identity.interest[bit / 32] >> bit % 32 & 1) == 0) continue;
    if (shmkit_i_mail_slot(p, slot, &identity)) count--;
  }
}

/* Wakes one who waits for a word: a thread, or else an event loop. */
static void shmkit_i_wake_one(shmkit_participant *p, uint32_t *word) {
  if (shmkit_i_futex_wake(word, 1) == 0) shmkit_i_mail(p, word, 1);
}

/* ---- lock words */

#define SHMKIT_I_WAIT 0x80000000u
#define SHMKIT_I_DIED 0x40000000u
#define SHMKIT_I_OWNER 0x3FFFFFFFu

/* A time to wait until; the largest number means for ever. */
static int64_t shmkit_i_deadline(int64_t now, int timeout_ms) {
  return timeout_ms < 0 ? INT64_MAX : now + timeout_ms * SHMKIT_I_MS;
}

/* Sleeps for a slice at most, and lets others see what for. */
static void shmkit_i_sleep(shmkit_participant *p, const uint32_t *word, uint32_t value, int64_t now,
  int64_t deadline) {
  const int64_t left = deadline - now;
  const uint64_t position = (uint64_t)((const unsigned char *)(const void *)word - p->base);
  shmkit_i_store(p->slot + SHMKIT_I_SLEEPING, (uint32_t)(position / 4) + 1);
  shmkit_i_futex_wait(word, value, left < SHMKIT_I_SLICE ? left : SHMKIT_I_SLICE);
  shmkit_i_store(p->slot + SHMKIT_I_SLEEPING, 0);
}

/* Is polite to whoever demands a free word. Whether that was in vain. */
static int shmkit_i_is_polite_in_vain(const uint32_t *word, uint32_t seen, uint32_t demander,
  int64_t deadline) {
  int64_t now = shmkit_i_now();
  const int64_t end = now + SHMKIT_I_POLITE;
  const int64_t until = deadline < end ? deadline : end;
  while (shmkit_i_load(word) == seen && shmkit_i_load(word + 1) == demander) {
    if (now >= until) return now >= end;
    shmkit_i_futex_wait(word, seen, until - now);
    now = shmkit_i_now();
  }
  return 0;
}

/* Gives up. Who has slept may have been woken in vain, and passes it on. */
static int shmkit_i_give_up(shmkit_participant *p, uint32_t *word, int slept) {
  const int demanded = shmkit_i_exchange(word + 1, p->id, 0);
  while (slept || demanded) {
    const uint32_t w = shmkit_i_load(word);
    if ((w & SHMKIT_I_OWNER) == 0) {
      shmkit_i_wake_one(p, word);
      break;
    }
    if ((w & SHMKIT_I_WAIT) != 0 || shmkit_i_exchange(word, w, w | SHMKIT_I_WAIT)) break;
  }
  return -ETIMEDOUT;
}

/* Gets a lock word: 0 or SHMKIT_OWNER_DIED, -ETIMEDOUT, -EDEADLK. */
static int shmkit_i_lock_slowly(shmkit_participant *p, uint32_t *word, int timeout_ms) {
  uint32_t *const next = word + 1;
  const int64_t start = shmkit_i_now();
  const int64_t deadline = shmkit_i_deadline(start, timeout_ms);
  /* Who does not wait is not polite either: a demander that is stopped would make every try fail. */
  int barging = timeout_ms == 0;
  /* Whether the owner is to be asked for: after a sleep without a change. */
  int doubtful = timeout_ms == 0;
  int slept = 0, spins = 0;
  int64_t now;
  for (;;) {
    uint32_t w = shmkit_i_load(word);
    const uint32_t owner = w & SHMKIT_I_OWNER;
    if (owner == 0) {
      const uint32_t demander = shmkit_i_load(next);
      if (demander != 0 && demander != p->id && !barging) {
        if (shmkit_i_is_polite_in_vain(word, w, demander, deadline)) {
          shmkit_i_exchange(next, demander, 0);
          barging = 1;
        }
        slept = 1; /* it may have had the one wake-up */
        if (shmkit_i_now() >= deadline && !barging) return shmkit_i_give_up(p, word, slept);
        continue;
      }
      /* Others may sleep when this one did: they are to be woken too. */
      if (shmkit_i_exchange(word, w,
            p->id | (w & SHMKIT_I_DIED) | (slept ? SHMKIT_I_WAIT : w & SHMKIT_I_WAIT))) {
        shmkit_i_exchange(next, p->id, 0);
        return (w & SHMKIT_I_DIED) != 0;
      }
      continue;
    }
    /* With one's own id: an earlier participant had it, 2^20 generations ago. */
    if (owner == p->id || (doubtful && shmkit_i_is_dead(p, owner))) {
      if (shmkit_i_exchange(word, w, p->id | SHMKIT_I_WAIT | SHMKIT_I_DIED)) {
        shmkit_i_exchange(next, p->id, 0);
        return SHMKIT_OWNER_DIED;
      }
      continue;
    }
    doubtful = 0;
    if (timeout_ms != 0 && spins < SHMKIT_I_SPINS) {
      spins++;
      shmkit_i_pause();
      continue;
    }
    if (!slept && shmkit_i_is_self(p, owner)) return -EDEADLK;
    now = shmkit_i_now();
    if (now >= deadline) return shmkit_i_give_up(p, word, slept);
    if ((w & SHMKIT_I_WAIT) == 0) {
      if (!shmkit_i_exchange(word, w, w | SHMKIT_I_WAIT)) continue;
      w |= SHMKIT_I_WAIT;
    }
    /* Pairs with P2: an unlock that does not see the demand was before, and a new look sees that. */
    if (now - start >= SHMKIT_I_DEMAND && shmkit_i_exchange(next, 0, p->id)) continue;
    shmkit_i_sleep(p, word, w, now, deadline);
    slept = 1;
    doubtful = shmkit_i_load(word) == w;
  }
}

/* 0, or SHMKIT_LOCK_LOST. */
static int shmkit_i_unlock(shmkit_participant *p, uint32_t *word) {
  uint32_t *const next = word + 1;
  uint32_t w, free_word, demander;
  if (shmkit_i_exchange(word, p->id, 0)) return 0;
  do {
    w = shmkit_i_load(word);
    if ((w & SHMKIT_I_OWNER) != p->id) return SHMKIT_LOCK_LOST;
    /* With WAIT left, nobody gets it without looking at the demand. */
    free_word = (w & SHMKIT_I_DIED) | (shmkit_i_load(next) != 0 ? SHMKIT_I_WAIT : 0);
  } while (!shmkit_i_exchange(word, w, free_word));
  if ((w & SHMKIT_I_WAIT) == 0) return 0;
  /* P2: again, since somebody may have demanded it just before the exchange, and sleep now. */
  demander = shmkit_i_load(next);
  if (demander == 0) {
    shmkit_i_wake_one(p, word);
  } else {
    /* Which of those who sleep it is, is not known. */
    shmkit_i_futex_wake(word, INT_MAX);
    shmkit_i_mail_id(p, demander);
  }
  return 0;
}

/* ---- what this participant holds */

static int shmkit_i_check_place(const shmkit_participant *p, const void *place, size_t length) {
  const int result = shmkit_i_check(p);
  const uintptr_t start = (uintptr_t)p->base, at = (uintptr_t)place;
  if (result < 0) return result;
  if (at % 4 != 0 || at < start || p->payload < length) return -EINVAL;
  return at - start <= p->payload - length ? 0 : -EINVAL;
}

/* Which of the locks that it holds one is, counted from 1; 0 for none. */
static uint32_t shmkit_i_held(const shmkit_participant *p, const void *place) {
  const uint64_t position = (uint64_t)((const unsigned char *)place - p->base);
  uint32_t i;
  for (i = p->held_count; i > 0; i--) {
    if (p->held[i - 1] == position) return i;
  }
  return 0;
}

/* Makes room for one more, before it is locked. */
static int shmkit_i_reserve(shmkit_participant *p) {
  uint64_t *more;
  if (p->held_count < p->held_capacity) return 0;
  more = (uint64_t *)realloc(p->held, 2 * sizeof *p->held * p->held_capacity);
  if (more == NULL) return -ENOMEM;
  p->held = more;
  p->held_capacity *= 2;
  return 0;
}

/* ---- the mutex */

int shmkit_mutex_lock(shmkit_participant *p, shmkit_mutex *mutex, int timeout_ms) {
  int result = shmkit_i_check_place(p, mutex, sizeof *mutex);
  if (result < 0) return result;
  if (shmkit_i_held(p, mutex) != 0) return -EDEADLK;
  result = shmkit_i_reserve(p);
  if (result < 0) return result;
  if (!shmkit_i_exchange(mutex->words, 0, p->id)) {
    result = shmkit_i_lock_slowly(p, mutex->words, timeout_ms);
    if (result < 0) return result;
  }
  p->held[p->held_count++] = (uint64_t)((unsigned char *)mutex - p->base);
  return result;
}

int shmkit_mutex_trylock(shmkit_participant *p, shmkit_mutex *mutex) {
  const int result = shmkit_mutex_lock(p, mutex, 0);
  return result == -ETIMEDOUT ? -EBUSY : result;
}

int shmkit_mutex_mark_consistent(shmkit_participant *p, shmkit_mutex *mutex) {
  const int result = shmkit_i_check_place(p, mutex, sizeof *mutex);
  uint32_t w;
  if (result < 0) return result;
  if (shmkit_i_held(p, mutex) == 0) return -EPERM;
  do {
    w = shmkit_i_load(mutex->words);
    if ((w & SHMKIT_I_OWNER) != p->id) return SHMKIT_LOCK_LOST;
  } while (!shmkit_i_exchange(mutex->words, w, w & ~SHMKIT_I_DIED));
  return 0;
}

int shmkit_mutex_unlock(shmkit_participant *p, shmkit_mutex *mutex) {
  const int result = shmkit_i_check_place(p, mutex, sizeof *mutex);
  uint32_t held;
  if (result < 0) return result;
  held = shmkit_i_held(p, mutex);
  if (held == 0) return -EPERM;
  p->held[held - 1] = p->held[--p->held_count];
  return shmkit_i_unlock(p, mutex->words);
}

/* ---- the event */

#define SHMKIT_I_SET 1u
#define SHMKIT_I_EVENT_WAIT 2u

static int shmkit_i_event_set(shmkit_participant *p, uint32_t *state, int wakes_all) {
  const int result = shmkit_i_check_place(p, state, sizeof(shmkit_event));
  uint32_t s;
  if (result < 0) return result;
  do {
    s = shmkit_i_load(state);
    if ((s & SHMKIT_I_SET) != 0) return 0;
  } while (!shmkit_i_exchange(state, s, ((s & ~3u) + 4) | SHMKIT_I_SET));
  if ((s & SHMKIT_I_EVENT_WAIT) == 0) return 0;
  if (wakes_all) {
    shmkit_i_futex_wake(state, INT_MAX);
    shmkit_i_mail(p, state, UINT32_MAX);
  } else {
    shmkit_i_wake_one(p, state);
  }
  return 0;
}

static int shmkit_i_event_reset(shmkit_participant *p, uint32_t *state) {
  const int result = shmkit_i_check_place(p, state, sizeof(shmkit_event));
  if (result == 0) __atomic_fetch_and(state, ~SHMKIT_I_SET, __ATOMIC_SEQ_CST);
  return result;
}

static int shmkit_i_event_is_set(shmkit_participant *p, const uint32_t *state) {
  const int result = shmkit_i_check_place(p, state, sizeof(shmkit_event));
  return result < 0 ? result : (int)(shmkit_i_load(state) & SHMKIT_I_SET);
}

static int shmkit_i_event_wait(shmkit_participant *p, uint32_t *state, int timeout_ms, int takes) {
  int result = shmkit_i_check_place(p, state, sizeof(shmkit_event));
  int64_t now, deadline = -1;
  uint32_t s, counter;
  int slept = 0, spins = 0;
  if (result < 0) return result;
  counter = shmkit_i_load(state) >> 2;
  for (;;) {
    s = shmkit_i_load(state);
    if (!takes) {
      if ((s & SHMKIT_I_SET) != 0 || s >> 2 != counter) return 0;
    } else if ((s & SHMKIT_I_SET) != 0) {
      /* Others may sleep when this one did. */
      if (shmkit_i_exchange(state, s, (s & ~SHMKIT_I_SET) | (slept ? SHMKIT_I_EVENT_WAIT : 0))) {
        return 0;
      }
      continue;
    }
    if (spins < SHMKIT_I_SPINS && timeout_ms != 0) {
      spins++;
      shmkit_i_pause();
      continue;
    }
    now = shmkit_i_now();
    if (deadline < 0) deadline = shmkit_i_deadline(now, timeout_ms);
    if (now >= deadline && !slept) return -ETIMEDOUT;
    /* Who gives up may have had the one wake-up of a set that another has taken: WAIT stays. */
    if ((s & SHMKIT_I_EVENT_WAIT) == 0) {
      if (!shmkit_i_exchange(state, s, s | SHMKIT_I_EVENT_WAIT)) continue;
      s |= SHMKIT_I_EVENT_WAIT;
    }
    if (now >= deadline) return -ETIMEDOUT;
    shmkit_i_sleep(p, state, s, now, deadline);
    slept = 1;
  }
}

int shmkit_event_set(shmkit_participant *p, shmkit_event *event) {
  return shmkit_i_event_set(p, (uint32_t *)(void *)event, 1);
}

int shmkit_event_reset(shmkit_participant *p, shmkit_event *event) {
  return shmkit_i_event_reset(p, (uint32_t *)(void *)event);
}

int shmkit_event_is_set(shmkit_participant *p, const shmkit_event *event) {
  return shmkit_i_event_is_set(p, (const uint32_t *)(const void *)event);
}

int shmkit_event_wait(shmkit_participant *p, shmkit_event *event, int timeout_ms) {
  return shmkit_i_event_wait(p, (uint32_t *)(void *)event, timeout_ms, 0);
}

int shmkit_auto_reset_event_set(shmkit_participant *p, shmkit_auto_reset_event *event) {
  return shmkit_i_event_set(p, (uint32_t *)(void *)event, 0);
}

int shmkit_auto_reset_event_reset(shmkit_participant *p, shmkit_auto_reset_event *event) {
  return shmkit_i_event_reset(p, (uint32_t *)(void *)event);
}

int shmkit_auto_reset_event_is_set(shmkit_participant *p, const shmkit_auto_reset_event *event) {
  return shmkit_i_event_is_set(p, (const uint32_t *)(const void *)event);
}

int shmkit_auto_reset_event_wait(shmkit_participant *p, shmkit_auto_reset_event *event,
  int timeout_ms) {
  return shmkit_i_event_wait(p, (uint32_t *)(void *)event, timeout_ms, 1);
}

#ifdef __cplusplus
}
#endif
#endif /* SHMKIT_IMPLEMENTATION */
