/*
 * The read-write lock of docs/synchronisation.md: R1, R2, R3.
 *
 * READERS, WRITERS   sets of participants; who is in both chooses each time
 * A participant has one lock at most.
 */

#define ON_COMING_BACK sharing = sharing & ~(1 << i);
#include "common.pml"

#ifndef READERS
#define READERS 15
#endif
#ifndef WRITERS
#define WRITERS 15
#endif

/* Whether the counter has changed since the owner of the word remembered it: it never wraps. */
bool drained;
byte writing;
byte entry[N]; /* generation << 1 | count */
byte sharing; /* a set: who has ever had a shared lock */

/* Ghosts: who has the word, who has the lock, and what has to be told. */
byte holder;
bool reads[N];
byte writes;
bool died;

#define ON_DRAIN 3

#define TAKEN(told) assert(holder == 0); holder = me; assert(died == (told))
#define RELEASED assert(holder == me); holder = 0
#ifdef BUG_EVERY_DEATH_IS_TOLD
#define FLAGS_OF(w) DIED
#else
#ifdef BUG_DEATH_IS_NOT_TOLD
#define FLAGS_OF(w) (w & DIED)
#else
#define FLAGS_OF(w) ((w & DIED) | (writing == OWNER(w) -> DIED : 0))
#endif
#endif

#ifndef BUG_WAKES_ONE
#define WAKES_ALL
#endif

#define ON_KILL(p) \
  reads[p] = 0; \
  if :: holder == ID(p) -> holder = 0 :: else fi; \
  if :: writes == ID(p) -> writes = 0; died = 1 :: else fi

#define COUNTS(p) ((entry[p] & 1) && (entry[p] >> 1) == gen[p])
#define NO_READER(p) && !reads[p]
#define ENTRY(count) (gen[i] << 1 | (count))

#include "lock_word.pml"

/* Whoever drains is told that a count has gone; ends at `told`. */
#define WAKE_DRAINING(p) :: asleep[p] == ON_DRAIN -> asleep[p] = 0; w = 0; goto WOKEN
#define TELL_WRITER(told) \
  atomic { \
    w = word; \
    if \
    :: OWNER(w) == 0 -> w = 0; goto told \
    :: else \
    fi \
  } \
  atomic { drained = 1 } \
  atomic { if EACH(WAKE_DRAINING) :: else fi } \
  atomic { mail_to(OWNER(w)); w = 0 }

/* Ends at `shared`, or at `give_up_shared`. */
inline lock_shared() {
  WAITING(i, 1);
#if ASYNC
  atomic { interest[i] = INTEREST_IN(ON_WORD) }
#endif

share:
  atomic {
    w = word;
    if
    :: OWNER(w) == 0
    :: OWNER(w) != 0 && DEAD(OWNER(w)) -> goto free_it
    :: OWNER(w) != 0 && !(slept && DEAD(OWNER(w))) ->
      if
      :: (w & WAIT) == 0 -> goto announce_reader
      :: else -> goto owned_by_writer
      fi
    fi
  }
  atomic {
    h = next;
    if
    :: h == 0 || h == me || barging -> w = 0; goto announce_entry
    :: else -> slept = 1
    fi
  }
  sleep(ON_WORD, word == w, POLITENESS_ENDS);
  atomic {
    if
    :: word != w -> w = 0; h = 0; goto share
    :: else -> w = 0
    :: MAY_GIVE_UP -> w = 0; goto give_up_shared
    fi
  }
  atomic {
    if
    :: next == h -> next = 0; barging = 1
    :: else
    fi;
    h = 0;
    goto share
  }

  /* The bit, the entry, and only then the word again. */
announce_entry:
#ifndef BUG_SETS_ITS_BIT_LATE
  atomic { sharing = sharing | (1 << i) }
#endif
#ifdef BUG_LOOKS_BEFORE_IT_STORES
  atomic { entry[i] = ENTRY(1); reads[i] = 1; assert(writes == 0); goto sharing_it }
#endif
  atomic { entry[i] = ENTRY(1) }
  atomic {
    w = word;
    if
    :: OWNER(w) == 0 ->
      reads[i] = 1;
      assert(writes == 0);
      assert(died == ((w & DIED) != 0));
      w = 0;
      goto sharing_it
#ifdef LIVE
    /* As in lock_word.pml: that a writer comes in between for ever, would be chance. */
    :: else -> word = word | WAIT; slept = 1; if :: next == 0 -> next = me :: else fi
#else
    :: else
#endif
    fi
  }
  atomic { entry[i] = ENTRY(0); h = 0; w = 0 }
#ifdef BUG_STEPS_BACK_IN_SILENCE
  goto share;
#endif
#define WOKEN share
  TELL_WRITER(share)
#undef WOKEN
  goto share;

free_it:
  atomic {
    if
    :: word == w ->
      word = WAIT | FLAGS_OF(w);
      w = 0
    :: else -> w = 0; goto share
    fi
  }
  atomic { EACH(WAKE_SLEEPER) }
  mail_all(ON_WORD);
  goto share;

announce_reader:
  atomic {
    if
    :: word == w -> word = w | WAIT; w = w | WAIT
#ifdef LIVE
    :: else -> word = word | WAIT; slept = 1; if :: next == 0 -> next = me :: else fi; w = 0; goto share
#else
    :: else -> w = 0; goto share
#endif
    fi
  }
owned_by_writer:
  atomic {
    if
    :: MAY_DEMAND && next == 0 -> next = me; w = 0; goto share
    :: !MUST_DEMAND || next != 0
    fi
  }
  slept = 1;
  sleep(ON_WORD, word == w, SLICES);
  atomic {
    w = 0;
    if
    :: goto share
    :: MAY_GIVE_UP -> goto give_up_shared
    fi
  }

sharing_it:
#ifdef BUG_SETS_ITS_BIT_LATE
  sharing = sharing | (1 << i);
#endif
  atomic {
    w = 0; slept = 0; barging = 0;
    if
    :: h == me -> h = 0; next = (next == me -> 0 : next)
    :: else -> h = 0; goto sharing_quietly
    fi
  }
  atomic { EACH(WAKE_SLEEPER) }
  mail_all(ON_WORD);
sharing_quietly:
#if ASYNC
  interest[i] = 0;
#endif
  atomic { assert(next != me); WAITING(i, 0) }
}

inline unlock_shared() {
  atomic { entry[i] = ENTRY(0); reads[i] = 0 }
#ifndef BUG_LEAVES_IN_SILENCE
#define WOKEN left_lock
  TELL_WRITER(left_lock)
#undef WOKEN
#endif
}

/* That of the dead. By now the slot may be another's. */
#ifdef BUG_FORGETS_BLINDLY
#define FORGET_ENTRY entry[h] = 0; w = 0; h = 0
#else
#define FORGET_ENTRY entry[h] = (entry[h] == w -> 0 : entry[h]); w = 0; h = 0
#endif

/* With the word in hand: waits for the readers. Ends at `alone`, or at `give_up_draining`. */
inline drain_readers() {
  WAITING(i, 1);
#ifdef BUG_IGNORES_READERS
  goto alone;
#endif
draining:
  drained = 0;
  atomic { bits = sharing; h = 0 }
  do
  :: atomic { h < N && (((bits >> h) & 1) == 0 || h == i) -> h++ }
  :: atomic { h < N && ((bits >> h) & 1) && h != i ->
       if
       :: !COUNTS(h) -> h++
#ifdef LIVE
       :: COUNTS(h) && state[h] != GONE -> break
#else
       :: COUNTS(h) -> break
#endif
       :: COUNTS(h) && state[h] == GONE -> w = entry[h]; goto forget_it
       fi
     }
  :: atomic { h == N -> h = 0; bits = 0; goto alone }
  od;
  atomic { h = 0; bits = 0 }
  sleep(ON_DRAIN, !drained, SLICES);
  if
  :: goto draining
  :: MAY_GIVE_UP -> goto give_up_draining
  fi;
forget_it:
  atomic { FORGET_ENTRY; bits = 0; goto draining }
alone:
  atomic {
    writing = me;
    writes = me;
    assert(true EACH(NO_READER))
  }
  WAITING(i, 0)
}

#define SEES_A_DEAD_READER(p) \
  :: atomic { COUNTS(p) && state[p] == GONE -> h = p; w = entry[p] } \
    atomic { FORGET_ENTRY }

active [N] proctype Participant() {
  LOCALS;
  byte bits;

attached:
  {
    do
    :: (READERS >> i) & 1 ->
      lock_shared();
      unlock_shared();
left_lock:
      goto rest;
give_up_shared:
      atomic { FORGET; if :: next == me -> next = 0 :: else fi }
#if ASYNC
      interest[i] = 0;
#endif
      atomic { assert(next != me); WAITING(i, 0) }
      goto rest
    :: (WRITERS >> i) & 1 ->
      /* A try looks at the readers before it has the word, too. */
      if
      EACH(SEES_A_DEAD_READER)
      :: skip
      fi;
      lock_word();
      drain_readers();
      if
      :: skip
      :: atomic { word & DIED -> word = word & ~DIED; died = 0 }
      fi;
#ifndef BUG_WRITES_FOR_EVER
      atomic { assert(writing == me); writing = 0; writes = 0 }
#else
      writes = 0;
#endif
give_up_draining:
      WAITING(i, 0);
      unlock_word();
      goto rest;
give_up:
      give_up_word();
rest:
      skip
#ifndef LIVE
    :: atomic { state[i] = GONE; goto left }
#endif
    od
  } MAY_DIE(FORGET; bits = 0);
  come_back(attached);
left:
  skip
}

#include "environment.pml"

#ifdef LIVE
ltl live { [] (waiting[0] -> <> !waiting[0]) }
#endif
