/*
 * The condition of docs/synchronisation.md, with the lock of what it guards: C1. Those in WAITERS take
 * items, and wait until there is one; the others put items there and notify.
 *
 * SIMPLE_LOCK   the lock is one step, and not that of lock_word.pml
 */

#include "common.pml"

#ifndef WAITERS
#define WAITERS 1
#endif
#define ITEMS 2
#define ON_SIGNAL 4

byte items;
bool announced; /* WAIT in `signal` */
byte seen[N]; /* what each remembers of `signal`, whose counter never wraps */
#define NOTHING 0
#define THIS 1
#define ANOTHER 2 /* by one notification */
#define MORE 3

bool waits[N]; /* ghost: it has seen that there is nothing, and has not given up */
bool over; /* nothing more happens: those who wait may go */
byte holder; /* ghosts of the lock, as in mutex.pml */
bool died;

#define TAKEN(told) assert(holder == 0); holder = me; assert(died == (told))
#define RELEASED assert(holder == me); holder = 0
#define FLAGS_OF(w) DIED
#define ON_KILL(p) \
  waits[p] = 0; \
  seen[p] = NOTHING; \
  if :: holder == ID(p) -> holder = 0; died = 1 :: else fi

#ifdef SIMPLE_LOCK
byte word;
inline lock() {
  atomic { word == 0 || DEAD(word) -> died = 0; word = me; TAKEN(0) }
}
inline unlock() {
  atomic { assert(word == me); word = 0; RELEASED }
}
#else
#define NOBODY_GIVES_UP
#include "lock_word.pml"
inline lock() {
  lock_word();
give_up:
  if
  :: skip
  :: atomic { word & DIED -> word = word & ~DIED; died = 0 }
  fi
}
inline unlock() { unlock_word() }
#endif

#define HAS_CHANGED(p) seen[p] = (seen[p] == NOTHING || seen[p] == MORE -> seen[p] : seen[p] + 1);
#define SLEEPS_ON_SIGNAL(p) :: asleep[p] == ON_SIGNAL -> asleep[p] = 0; goto WOKEN
#define IS_WOKEN(p) asleep[p] = (asleep[p] == ON_SIGNAL -> 0 : asleep[p]);
#if ASYNC
#define WANTS_NEWS(p) :: interest[p] == ON_SIGNAL && state[p] == LIVING -> picked = p
#define MAIL_ONE(nobody) \
  atomic { if EACH(WANTS_NEWS) :: else -> goto nobody fi } \
  atomic { mail[picked] = 1; picked = 0; goto WOKEN }
#else
#define MAIL_ONE(nobody) skip
#endif

#ifdef BUG_NOTIFIES_ONE_OF_NONE
#define WAIT_STAYS announced = 0;
#else
#define WAIT_STAYS
#endif
#ifdef BUG_LEAVES_THE_NEW_ALONE
#define WAKE_THE_NEW(done) goto done
#else
#define WAKE_THE_NEW(done) atomic { EACH(IS_WOKEN) }
#endif

/* Ends at `done`, which is WOKEN, too. */
#define NOTIFY_ONE(done) \
  atomic { \
    if \
    :: announced -> WAIT_STAYS EACH(HAS_CHANGED) seen[i] = THIS \
    :: else -> seen[i] = NOTHING; goto done \
    fi \
  } \
  atomic { if EACH(SLEEPS_ON_SIGNAL) :: else fi } \
  MAIL_ONE(done##_alone); \
done##_alone: \
  atomic { \
    if \
    :: seen[i] == THIS -> announced = 0; seen[i] = NOTHING; EACH(HAS_CHANGED) \
    :: else -> seen[i] = NOTHING; goto done \
    fi \
  } \
  WAKE_THE_NEW(done); \
  mail_all(ON_SIGNAL)

#define NOTIFY_ALL(done) \
  atomic { \
    if \
    :: announced -> announced = 0; EACH(HAS_CHANGED) \
    :: else -> goto done \
    fi \
  } \
  atomic { EACH(IS_WOKEN) } \
  mail_all(ON_SIGNAL)

/* In a check of liveness, those who notify do not keep the others from the lock for ever. */
#ifdef LIVE
#define CAN_DO_SOMETHING (((WAITERS >> i) & 1) || items < ITEMS)
#define MAY_CALL_OFF false
#else
#define CAN_DO_SOMETHING true
#define MAY_CALL_OFF true
#endif

/* Who is called off, and an event loop that may have got mail more than once. */
#ifdef BUG_KEEPS_A_NOTIFICATION
#define IS_CALLED_OFF false
#else
#define IS_CALLED_OFF (next_is == ALL && seen[i] >= ANOTHER)
#endif
#ifdef BUG_KEEPS_MORE_THAN_ONE
#define HAS_ANOTHERS false
#else
#define HAS_ANOTHERS (IS_ASYNC(i) && seen[i] == MORE)
#endif
#define PASSES_ON (IS_CALLED_OFF || HAS_ANOTHERS)

/* What is done next. */
#define GO 0
#define SLEEP 1
#define ONE 2
#define ALL 3

active [N] proctype Participant() {
#ifdef SIMPLE_LOCK
#if ASYNC
  byte picked;
#endif
#else
  LOCALS;
#endif
  byte next_is;

attached:
  {
    do
    :: CAN_DO_SOMETHING ->
      lock();
      if
      :: (WAITERS >> i) & 1 ->
        if
        :: atomic { next_is == GO && items > 0 -> items--; waits[i] = 0 }
        :: atomic { next_is == GO && over -> waits[i] = 0 }
        :: atomic { next_is != GO -> next_is = GO }
        :: atomic { next_is == GO && items == 0 && !over ->
             next_is = SLEEP;
             waits[i] = 1;
#ifndef BUG_ANNOUNCES_WITHOUT_THE_LOCK
             announced = 1;
             seen[i] = THIS;
#endif
           }
        fi
      :: !((WAITERS >> i) & 1) ->
        if
        :: atomic { items < ITEMS -> items++; next_is = ONE }
        :: atomic { items < ITEMS -> items = ITEMS; next_is = ALL }
        :: MAY_CALL_OFF
        fi;
#define WOKEN notified_with_lock
        if
        :: next_is == ONE -> next_is = GO; NOTIFY_ONE(notified_with_lock)
        :: next_is == ALL -> next_is = GO; NOTIFY_ALL(notified_with_lock)
        :: skip
        fi;
#undef WOKEN
notified_with_lock:
        atomic { if :: !((WAITERS >> i) & 1) -> seen[i] = NOTHING :: else fi }
      fi;
      unlock();
      if
      :: next_is == SLEEP ->
#ifdef BUG_ANNOUNCES_WITHOUT_THE_LOCK
        atomic { announced = 1; seen[i] = THIS }
#endif
#if ASYNC
        interest[i] = INTEREST_IN(ON_SIGNAL);
#ifndef BUG_LOOKS_NO_MORE
        if
        :: seen[i] != THIS && IS_ASYNC(i) -> goto awake
        :: else
        fi;
#endif
#endif
sleeping:
        sleep(ON_SIGNAL, seen[i] == THIS, (SLICES || over));
awake:
#if ASYNC && !SLICES
        if
        :: IS_ASYNC(i) && seen[i] == THIS && !over -> goto sleeping
        :: else
        fi;
#endif
#ifdef BUG_RELIES_ON_NOTIFICATIONS
        if
        :: seen[i] == THIS -> goto sleeping
        :: else
        fi;
#endif
#if ASYNC
        interest[i] = 0;
#endif
        /* If it is called off, its promise is rejected, whatever there is. */
        if
        :: next_is = GO
        :: atomic { MAY_CALL_OFF && !over -> waits[i] = 0; next_is = ALL }
        fi;
        if
        :: atomic { PASSES_ON -> seen[i] = NOTHING; EACH(IS_WOKEN) }
          mail_all(ON_SIGNAL)
        :: atomic { !(PASSES_ON) -> seen[i] = NOTHING }
        fi
      :: next_is == ONE -> next_is = GO;
#define WOKEN notified
        NOTIFY_ONE(notified)
      :: next_is == ALL -> next_is = GO; NOTIFY_ALL(notified)
#undef WOKEN
      :: next_is == GO
      fi;
notified:
      atomic { seen[i] = NOTHING }
    :: atomic { next_is == GO && !waits[i] -> state[i] = GONE; goto left }
    od
#ifdef SIMPLE_LOCK
  } MAY_DIE(next_is = 0);
#else
  } MAY_DIE(FORGET; next_is = 0);
#endif
  come_back(attached);
left:
  skip
}

/* When nothing more happens, nobody waits for what is there. */
#define STILL_WAITS(p) && !waits[p]
active proctype Judge() {
  timeout;
  atomic { assert(items == 0 || (true EACH(STILL_WAITS))); over = 1 }
}

#include "environment.pml"

#ifdef LIVE
ltl live { [] ((waits[0] && items > 0) -> <> !waits[0]) }
#endif
