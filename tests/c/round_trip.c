/*
 * tests/c/round_trip.h with the functions of the generated headers; with shm_open and mmap for what it
 * creates itself.
 */
#define _GNU_SOURCE
#include "round_trip.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static char *created[LAYOUTS];

static void check(int succeeded, const char *what) {
  if (succeeded) return;
  perror(what);
  exit(1);
}

static void *create(const char *path, size_t size) {
  int fd = shm_open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
  check(fd >= 0, "shm_open");
  check(ftruncate(fd, (off_t)size) == 0, "ftruncate");
  void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  check(memory != MAP_FAILED, "mmap");
  close(fd);
  return memory;
}

static size_t size_of(const char *path) {
  struct stat status;
  int fd = shm_open(path, O_RDONLY, 0);
  check(fd >= 0 && fstat(fd, &status) == 0, "fstat");
  close(fd);
  return (size_t)status.st_size;
}

static void *attach(int layout, const char *name, size_t new_size, size_t *file_size) {
  char path[256];
  snprintf(path, sizeof path, "/%s", name);
  void *memory = new_size > 0 ? create(path, new_size) : layouts[layout].open(path);
  check(memory != NULL, "open");
  if (new_size > 0) created[layout] = strdup(path);
  *file_size = size_of(path);
  return memory;
}

static void detach(int layout) {
  check(layouts[layout].close(memories[layout]) == 0, "close");
  if (created[layout] == NULL) return;
  check(shm_unlink(created[layout]) == 0, "shm_unlink");
  free(created[layout]);
  created[layout] = NULL;
}
