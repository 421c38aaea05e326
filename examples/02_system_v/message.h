/*
 * What the writers and readers share, in C and in TypeScript (message.ts): one message in a System V
 * segment of 1024 bytes.
 *
 *     byte   0              4              8                                 1024
 *            +--------------+--------------+---------------------------------+
 *            | state        | byte length  | text, UTF-8, not NUL-terminated |
 *            +--------------+--------------+---------------------------------+
 *
 * state is 0 in a new segment. The writer sets it to WRITTEN when text and length are complete: the
 * reader that sees it sees both. The reader sets it to READ: the writer may remove the segment then.
 *
 * The programs find each other by a key that ftok() makes of this very file.
 */
#include <stdatomic.h>
#include <stdint.h>

static const char *const KEY_FILE = __FILE__;
enum { PROJECT_ID = 'M' };

enum { WRITTEN = 1, READ = 2 };

struct message {
    _Atomic uint32_t state;
    uint32_t byte_length;
    char text[1016];
};
