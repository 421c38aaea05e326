/* What the peers of the lock tests keep in the payload, beside the mutex and the event. */
#ifndef LOCK_RECORD_H
#define LOCK_RECORD_H

#include <stdint.h>

typedef struct {
  uint64_t count;      /* under the lock: added to at the begin of a round */
  uint64_t check;      /* under the lock: added to at its end */
  uint32_t witness;    /* who is in; 0: nobody */
  uint32_t stop;       /* the peers end when it is not 0 */
  uint32_t violations; /* how often somebody else was in, or count and check differed */
  uint32_t reports;    /* how often it was said that an owner had died */
} lock_record;

#endif
