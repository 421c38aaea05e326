/*
 * Reads and writes structs as it is told, a line at a time; tests/peers/round_trip.ts says how. For C
 * and C++: whoever includes this says how memory is attached.
 *
 * "layouts.h" is generated: the structs, and functions for each, two of them with a case for each slot.
 */
#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t number(const char *text) { return strtoull(text, NULL, 10); }
static uint64_t bits(const char *text) { return strtoull(text, NULL, 16); }

static uint16_t half(const char *text) {
  return strcmp(text, "nan") == 0 ? 0x7e00 : (uint16_t)bits(text);
}

static float single(const char *text) {
  uint32_t word = (uint32_t)bits(text);
  float value;
  memcpy(&value, &word, sizeof value);
  return strcmp(text, "nan") == 0 ? NAN : value;
}

static double real(const char *text) {
  uint64_t word = bits(text);
  double value;
  memcpy(&value, &word, sizeof value);
  return strcmp(text, "nan") == 0 ? NAN : value;
}

static void write_bytes(uint8_t *bytes, const char *text) {
  for (text++; *text != '\0'; text += 2) {
    char digits[] = {text[0], text[1], '\0'};
    *bytes++ = (uint8_t)bits(digits);
  }
}

static void write_text(char *chars, const char *text) {
  write_bytes((uint8_t *)chars, text);
  chars[strlen(text) / 2] = '\0';
}

static void print_unsigned(uint64_t value) { printf("%" PRIu64, value); }
static void print_signed(int64_t value) { printf("%" PRId64, value); }

static void print_half(uint16_t value) {
  if ((value & 0x7fff) > 0x7c00) printf("nan");
  else printf("%04x", value);
}

static void print_single(float value) {
  uint32_t word;
  memcpy(&word, &value, sizeof word);
  if (value != value) printf("nan");
  else printf("%08" PRIx32, word);
}

static void print_real(double value) {
  uint64_t word;
  memcpy(&word, &value, sizeof word);
  if (value != value) printf("nan");
  else printf("%016" PRIx64, word);
}

static void print_bytes(const uint8_t *bytes, size_t size) {
  printf("x");
  for (size_t at = 0; at < size; at++) printf("%02x", bytes[at]);
}

static void print_text(const char *chars, size_t size) {
  print_bytes((const uint8_t *)chars, strnlen(chars, size));
}

struct layout {
  size_t size;
  void (*set)(void *memory, int slot, const char *text);
  void (*get)(void *memory, int slot);
  /* Those that come with the struct. */
  void *(*open)(const char *path);
  int (*close)(void *memory);
};

/* Leaves without a word what is not among the slots: then the program says less than it is asked. */
#include "layouts.h"

#define LAYOUTS (sizeof layouts / sizeof *layouts)

/* Attaches to a struct; with a size, to a new one. Says the size of the file. */
static void *attach(int layout, const char *name, size_t new_size, size_t *file_size);
static void detach(int layout);

static void *memories[LAYOUTS];

static void set(int layout, char **rest) {
  for (char *word; (word = strtok_r(NULL, " ", rest)) != NULL;) {
    char *text = strchr(word, '=') + 1;
    layouts[layout].set(memories[layout], atoi(word), text);
  }
}

static void get(int layout, char **rest) {
  for (char *word; (word = strtok_r(NULL, " ", rest)) != NULL;) {
    layouts[layout].get(memories[layout], atoi(word));
    printf(" ");
  }
}

int main(void) {
  char *line = NULL;
  size_t capacity = 0;
  for (ssize_t length; (length = getline(&line, &capacity, stdin)) > 0;) {
    line[length - 1] = '\0';
    char *rest;
    const char *verb = strtok_r(line, " ", &rest);
    int layout = atoi(strtok_r(NULL, " ", &rest));
    int is_new = strcmp(verb, "create") == 0;
    if (is_new || strcmp(verb, "open") == 0) {
      size_t file_size;
      const char *name = strtok_r(NULL, " ", &rest);
      memories[layout] = attach(layout, name, is_new ? layouts[layout].size : 0, &file_size);
      if (is_new) set(layout, &rest);
      printf("%zu", file_size);
    } else if (strcmp(verb, "get") == 0) {
      get(layout, &rest);
    } else {
      if (strcmp(verb, "set") == 0) set(layout, &rest);
      else detach(layout);
      printf("done");
    }
    printf("\n");
    fflush(stdout);
  }
  free(line);
  return 0;
}
