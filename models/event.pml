/*
 * The event of docs/synchronisation.md: E1. Participant 0 sets (and resets), the others wait.
 * AUTO: automatic reset.
 */

#include "common.pml"

#define SETS 3 /* how often the setter sets */

bool is_set;
bool announced;
bool changed[N]; /* whether `state` is another than each has seen: the counter never wraps */
bool counted[N]; /* whether there was a set since the start of the wait of each */
bool waits[N]; /* ghost: it waits, and nothing has ended that */
bool unused; /* ghost: a set that no automatic wait has used */
bool over; /* nothing more happens: those who wait may go */

#define ON_KILL(p) waits[p] = 0
#define HAS_CHANGED(p) changed[p] = 1;
#define HAS_COUNTED(p) counted[p] = 1;

#ifdef AUTO
#define WAKE_WAITERS(silent) WAKE_ONE(WAKE_ON_WORD, silent)
#define MAIL_WAITERS mail_one(ON_WORD)
#define OVER is_set
#define IS_DUE(p) && !(waits[p] && is_set)
#else
#define WAKE_WAITERS(silent) WAKE_ALL; goto silent
#define MAIL_WAITERS mail_all(ON_WORD)
#ifdef BUG_SEES_ONLY_THE_STATE
#define OVER is_set
#else
#define OVER (is_set || counted[i])
#endif
#define IS_DUE(p) && !(waits[p] && (is_set || counted[p]))
#endif

active [N] proctype Participant() {
  byte done;
#if ASYNC
  byte picked;
#endif
  bool slept;

  {
    if
    :: i == 0 ->
      do
      :: atomic { done < SETS ->
           done++;
           if :: is_set -> goto next_set :: else fi;
           is_set = 1;
           unused = 1;
           EACH(HAS_CHANGED) EACH(HAS_COUNTED)
           if :: !announced -> goto next_set :: else -> announced = 0 fi
         }
#ifndef BUG_WAKES_NOBODY
        WAKE_WAITERS(mailing);
        goto next_set;
mailing:
        MAIL_WAITERS;
#endif
next_set:
        if
        :: atomic { is_set -> is_set = 0; unused = 0; EACH(HAS_CHANGED) }
        :: skip
        fi
      :: atomic { done == SETS -> goto leave }
      od
    :: else ->
      atomic { counted[i] = 0; waits[i] = 1 }
#if ASYNC
      atomic { interest[i] = INTEREST_IN(ON_WORD); slept = IS_ASYNC(i) }
#endif
again:
      atomic {
        changed[i] = 0;
        if
        :: OVER && !over -> goto ended
        :: over -> goto leave
        :: else
        fi;
        if :: announced -> goto rest :: else fi
      }
#ifdef BUG_ANNOUNCES_BLINDLY
      atomic { announced = 1; changed[i] = 0 }
#else
      atomic {
        if
        :: changed[i] -> goto again
        :: else -> announced = 1; EACH(HAS_CHANGED) changed[i] = 0
        fi
      }
#endif
rest:
      slept = 1;
      sleep(ON_WORD, !changed[i], (SLICES || over));
      if
      :: goto again
      :: !over -> goto give_up
      fi;
ended:
      skip;
#ifdef AUTO
      atomic {
#ifndef BUG_TAKES_IN_TWO_STEPS
        if :: !is_set || changed[i] -> goto again :: else fi;
#endif
        assert(unused);
        unused = 0; is_set = 0; waits[i] = 0;
        if :: slept -> announced = 1 :: else fi;
        EACH(HAS_CHANGED)
      }
#if ASYNC
#ifndef BUG_INTERESTED_TOO_LONG
      interest[i] = 0;
#endif
      goto look_again;
#endif
#else
      waits[i] = 0;
#endif
      goto leave;
give_up:
      atomic { waits[i] = 0 }
#if ASYNC
      interest[i] = 0;
#endif
#ifdef BUG_KEEPS_A_WAKE_UP
      goto leave;
#endif
look_again:
      atomic { if :: is_set :: !is_set -> announced = 1; EACH(HAS_CHANGED) goto leave fi }
pass_on:
      WAKE_WAITERS(passing_mail);
      goto leave;
passing_mail:
      MAIL_WAITERS
    fi;
leave:
#if ASYNC
    interest[i] = 0;
#endif
    atomic { state[i] = GONE; goto left }
  } MAY_DIE(done = 0; slept = 0);
left:
  skip
}

/* When nothing more happens, nobody waits for what has come. */
active proctype Judge() {
  timeout;
  atomic { assert(true EACH(IS_DUE)); over = 1 }
}

#include "environment.pml"
