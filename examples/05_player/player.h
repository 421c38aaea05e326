/* Player, layout af44e04a38b5e7ad: made by shmkit, and not to be edited. */
#ifndef SHMKIT_LAYOUT_MACROS
#define SHMKIT_LAYOUT_MACROS
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#include <atomic>
#define SHMKIT_ATOMIC(type) std::atomic<type>
#define SHMKIT_ALIGNAS(bytes) alignas(bytes)
#define SHMKIT_ALIGNOF(type) alignof(type)
#define SHMKIT_ASSERT(condition) static_assert(condition, #condition)
#else
#define SHMKIT_ATOMIC(type) _Atomic(type)
#define SHMKIT_ALIGNAS(bytes) _Alignas(bytes)
#define SHMKIT_ALIGNOF(type) _Alignof(type)
#define SHMKIT_ASSERT(condition) _Static_assert(condition, #condition)
#endif
#endif

#if defined(__linux__) && !defined(SHMKIT_NO_OPEN) && !defined(SHMKIT_HAS_OPEN)
#define SHMKIT_HAS_OPEN
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Strict programs do not see these: there, shm_open(3) of glibc and musl sets them by itself. */
#if defined(O_CLOEXEC) && defined(O_NOFOLLOW)
#define SHMKIT_OPEN_FLAGS (O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW)
#else
#define SHMKIT_OPEN_FLAGS O_NONBLOCK
#endif
#ifdef F_OFD_SETLK
#define SHMKIT_GETLK F_OFD_GETLK
#define SHMKIT_SETLK F_OFD_SETLK
#else
#define SHMKIT_GETLK 36
#define SHMKIT_SETLK 37
#endif

/* A little-endian number. */
static inline uint64_t shmkit_number(const unsigned char *bytes, int count) {
  uint64_t number = 0;
  while (count-- > 0) number = number << 8 | bytes[count];
  return number;
}

/* Whether the last 64 bytes of a file are a trailer; -1 and errno when they cannot be read. */
static inline int shmkit_trailer(int fd, off_t length, unsigned char *trailer) {
  size_t count = 0;
  if (length < 64) return 0;
  if (lseek(fd, length - 64, SEEK_SET) < 0) return -1;
  while (count < 64) {
    ssize_t got = read(fd, trailer + count, 64 - count);
    if (got == 0) return 0;
    if (got > 0) count += (size_t)got;
    else if (errno != EINTR) return -1;
  }
  return shmkit_number(trailer, 8) == UINT64_C(0x0a74696b6d687389);
}

/* The lock of those who are attached. */
static inline struct flock shmkit_lock(short type) {
  struct flock lock;
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = (off_t)(UINT64_C(1) << 52);
  lock.l_len = 1;
  lock.l_pid = 0;
  return lock;
}

/* Counts this process as attached until it unmaps: a mapping keeps the lock when fd is closed. */
static inline int shmkit_attend(int fd) {
  struct stat status;
  struct flock others, own;
  if (sizeof(off_t) < 8) return EOVERFLOW;
  others = shmkit_lock(F_WRLCK);
  own = shmkit_lock(F_RDLCK);
  if (fcntl(fd, SHMKIT_GETLK, &others) < 0) return errno;
  if (others.l_type == F_UNLCK) return ENOENT; /* all have died: it goes with the next who looks */
  if (fcntl(fd, SHMKIT_SETLK, &own) < 0) return errno == EAGAIN || errno == EACCES ? -1 : errno;
  if (fstat(fd, &status) < 0) return errno;
  return status.st_nlink == 0 ? -1 : 0;
}

/* 0 for an object of the layout, -1 for one that is just being removed, or an error number. */
static inline int shmkit_attach(int fd, size_t size, uint64_t fingerprint) {
  unsigned char trailer[64];
  struct stat status;
  uint64_t length;
  int found;
  if (fstat(fd, &status) < 0) return errno;
  if (!S_ISREG(status.st_mode)) return EINVAL;
  if (status.st_size == 0) return EAGAIN;
  length = (uint64_t)status.st_size;
  found = shmkit_trailer(fd, status.st_size, trailer);
  if (found < 0) return errno;
  if (found == 0) {
    const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    return length == size || length == (size + page - 1) / page * page ? 0 : EPROTO;
  }
  if (shmkit_number(trailer + 8, 2) != 1 || shmkit_number(trailer + 10, 2) != 1) return EPROTO;
  if (shmkit_number(trailer + 16, 8) != size || length - 64 < size) return EPROTO;
  if (shmkit_number(trailer + 40, 8) != fingerprint) return EPROTO;
  return shmkit_number(trailer + 12, 2) == 2 ? shmkit_attend(fd) : 0;
}

/*
 * Opens an object of shmkit, or a file of the size of the struct that another program made. Never
 * creates one, and never changes its size: behind the struct lie bytes that other processes need.
 * NULL and errno when it cannot: ENOENT for none, EAGAIN for one that is not finished yet or just
 * being removed, EPROTO for another layout, EINVAL for what is no memory, ELOOP for a symbolic link.
 * Define SHMKIT_NO_OPEN before the header to do without.
 */
static inline void *shmkit_open(const char *name, int writable, size_t size, uint64_t fingerprint) {
  const int flags = (writable ? O_RDWR : O_RDONLY) | SHMKIT_OPEN_FLAGS;
  const int protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;
  int attempt;
  for (attempt = 0; attempt < 100; attempt++) {
    void *memory = MAP_FAILED;
    int error;
    const int fd = shm_open(name, flags, 0);
    if (fd < 0) return NULL;
    error = shmkit_attach(fd, size, fingerprint);
    if (error == 0) {
      memory = mmap(NULL, size, protection, MAP_SHARED, fd, 0);
      if (memory == MAP_FAILED) error = errno;
    }
    close(fd);
    if (error == 0) return memory;
    if (error > 0) {
      errno = error;
      return NULL;
    }
    poll(NULL, 0, 1);
  }
  errno = EAGAIN;
  return NULL;
}
#endif

#ifndef SHMKIT_Player_af44e04a38b5e7ad
#define SHMKIT_Player_af44e04a38b5e7ad
typedef struct Player {
  char name[32];
  uint8_t team;
  struct { uint8_t alive : 1; uint8_t level : 3; } flags;
  double position[3];
  SHMKIT_ATOMIC(uint32_t) steps;
  int32_t health;
  char hitBy[16];
  SHMKIT_ATOMIC(uint32_t) hits;
} Player;
#define Player_team_red ((uint8_t)0)
#define Player_team_blue ((uint8_t)1)
SHMKIT_ASSERT(sizeof(Player) == 96);
SHMKIT_ASSERT(SHMKIT_ALIGNOF(Player) == 8);
SHMKIT_ASSERT(offsetof(Player, name) == 0);
SHMKIT_ASSERT(sizeof(((Player *)0)->name) == 32);
SHMKIT_ASSERT(offsetof(Player, team) == 32);
SHMKIT_ASSERT(sizeof(((Player *)0)->team) == 1);
SHMKIT_ASSERT(offsetof(Player, flags) == 33);
SHMKIT_ASSERT(sizeof(((Player *)0)->flags) == 1);
SHMKIT_ASSERT(offsetof(Player, position) == 40);
SHMKIT_ASSERT(sizeof(((Player *)0)->position) == 24);
SHMKIT_ASSERT(offsetof(Player, steps) == 64);
SHMKIT_ASSERT(sizeof(((Player *)0)->steps) == 4);
SHMKIT_ASSERT(offsetof(Player, health) == 68);
SHMKIT_ASSERT(sizeof(((Player *)0)->health) == 4);
SHMKIT_ASSERT(offsetof(Player, hitBy) == 72);
SHMKIT_ASSERT(sizeof(((Player *)0)->hitBy) == 16);
SHMKIT_ASSERT(offsetof(Player, hits) == 88);
SHMKIT_ASSERT(sizeof(((Player *)0)->hits) == 4);
#endif

#define Player_FINGERPRINT UINT64_C(0xaf44e04a38b5e7ad)

#if defined(SHMKIT_HAS_OPEN) && !defined(SHMKIT_NO_OPEN) && !defined(SHMKIT_OPEN_Player_af44e04a38b5e7ad)
#define SHMKIT_OPEN_Player_af44e04a38b5e7ad
/* Open an object of the layout, as shmkit_open() does: NULL and errno when they cannot. */
static inline Player *Player_open(const char *name) {
  return (Player *)shmkit_open(name, 1, sizeof(Player), UINT64_C(0xaf44e04a38b5e7ad));
}
static inline const Player *Player_open_readonly(const char *name) {
  return (const Player *)shmkit_open(name, 0, sizeof(Player), UINT64_C(0xaf44e04a38b5e7ad));
}
/* Ends the use of it: 0, or -1 and errno. */
static inline int Player_close(const Player *object) {
  return munmap((void *)(uintptr_t)object, sizeof(Player));
}
#endif
