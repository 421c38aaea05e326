/*
 * The semaphore of docs/synchronisation.md: S1, S2. PERMITS permits; the demand is as in
 * lock_word.pml, and waiting on `signal` instead of the word.
 */

#include "common.pml"

#ifndef PERMITS
#define PERMITS 2
#endif

#define WAKE_SLEEPER(p) if :: asleep[p] == ON_WORD -> asleep[p] = 0 :: else fi;

byte permits[PERMITS];
bool announced; /* WAIT in `signal` */
bool changed[N]; /* whether `signal` is another than each has remembered: its counter never wraps */
byte next;

byte owner[PERMITS]; /* ghost: the living holder */

#define ON_KILL(p) \
  if :: owner[0] == ID(p) -> owner[0] = 0 :: else fi; \
  if :: PERMITS > 1 && owner[PERMITS - 1] == ID(p) -> owner[PERMITS - 1] = 0 :: else fi

#define HAS_CHANGED(p) changed[p] = 1;
#define SET_WAIT if :: !announced -> announced = 1; EACH(HAS_CHANGED) :: else fi

/* As in lock_word.pml. */
#ifdef LIVE
#define POLITENESS_ENDS (changed[i] || next != h || DEAD(h) || !waiting[SLOT(h)])
#define MUST_DEMAND slept
#define MAY_GIVE_UP false
#else
#define POLITENESS_ENDS true
#define MUST_DEMAND false
#define MAY_GIVE_UP true
#endif

#ifdef BUG_NOBODY_LOOKS_FOR_THE_DEAD
#define LOOKS_DEAD(id) false
#else
#define LOOKS_DEAD(id) DEAD(id)
#endif
#if defined(BUG_TAKES_ANY_PERMIT) || defined(BUG_TAKES_IN_TWO_STEPS)
#define IF_STILL_HELD true
#else
#define IF_STILL_HELD permits[at] == h
#endif

/* After a release, and by who does not use a wake-up. Ends at `done`. */
#define WAKE_AND_MAIL(silent, done) \
  h = next; \
  if \
  :: atomic { h != 0 -> EACH(WAKE_SLEEPER) skip } \
    atomic { mail_to(h); h = 0; goto done } \
  :: h == 0 \
  fi; \
  WAKE_ONE(WAKE_ON_WORD, silent); \
  goto done; \
silent: \
  mail_one(ON_WORD)

active [N] proctype Participant() {
  byte h, at;
#if ASYNC
  byte picked;
#endif
  bool slept, looked, barging;

attached:
  {
    do
    :: true ->
      WAITING(i, 1);
#if ASYNC
      atomic { interest[i] = INTEREST_IN(ON_WORD); slept = IS_ASYNC(i) }
#endif
again:
      /* Politeness. */
      atomic {
        h = next;
        if
        :: h == 0 || h == me || barging -> h = 0; goto look
        :: else -> changed[i] = 0; slept = 1
        fi
      }
      sleep(ON_WORD, !changed[i], POLITENESS_ENDS);
      atomic { if :: next == h && !changed[i] -> next = 0; barging = 1 :: else -> h = 0; goto again fi }
woken:
      atomic { h = 0; goto again }

      /* Looks through all permits; those of the dead are taken when a sleep has ended. */
look:
      at = 0;
      do
      :: atomic { at < PERMITS ->
           h = permits[at];
           if
           #ifdef BUG_TAKES_IN_TWO_STEPS
           :: h == 0 -> break
#else
           :: h == 0 -> permits[at] = me; assert(owner[at] == 0); owner[at] = me; goto got
#endif
           :: h != 0 && LOOKS_DEAD(h) -> break
           :: h != 0 && !(slept && LOOKS_DEAD(h)) -> h = 0; at++
           fi
         }
      :: atomic { at == PERMITS ->
           at = 0;
           if
           :: looked -> looked = 0; goto rest_a_while
           :: else -> goto announce
           fi
         }
      od;
      atomic {
        if
        :: IF_STILL_HELD -> permits[at] = me; h = 0; assert(owner[at] == 0); owner[at] = me; goto got
        :: else -> h = 0; goto look
        fi
      }

announce:
#ifdef BUG_LOOKS_BEFORE_IT_ANNOUNCES
      atomic { SET_WAIT; changed[i] = 0; goto rest_a_while }
#endif
      atomic { SET_WAIT; changed[i] = 0; looked = 1; goto look }

rest_a_while:
      if
      :: atomic { slept && next == 0 -> next = me; goto look }
      :: !MUST_DEMAND || next != 0
      fi;
      slept = 1;
      sleep(ON_WORD, !changed[i], SLICES);
      if
      :: goto again
      :: MAY_GIVE_UP -> goto give_up
      fi;

got:
      looked = 0;
#if ASYNC
#ifndef BUG_INTERESTED_TOO_LONG
      interest[i] = 0;
#endif
#endif
      atomic { barging = 0; h = 0; if :: next == me -> next = 0 :: else fi }
#ifndef BUG_WAIT_IS_LOST
      if
      :: atomic { slept -> SET_WAIT }
        if
        :: atomic { permits[0] == 0 || permits[PERMITS - 1] == 0 }
          WAKE_AND_MAIL(got_silent, has_it);
        :: atomic { !(permits[0] == 0 || permits[PERMITS - 1] == 0) }
        fi
      :: !slept
      fi;
#endif
has_it:
#if ASYNC
      interest[i] = 0;
#endif
      atomic { h = 0; slept = 0; WAITING(i, 0) }

      /* Release. */
      atomic {
        assert(permits[at] == me && owner[at] == me);
        permits[at] = 0;
        owner[at] = 0;
        at = 0
      }
      atomic {
        if
        :: announced -> announced = 0; EACH(HAS_CHANGED)
        :: else -> goto rest
        fi
      }
      WAKE_AND_MAIL(released_silent, rest);
      goto rest;

give_up:
#if ASYNC
      interest[i] = 0;
#endif
      atomic { looked = 0; barging = 0; if :: next == me -> next = 0 :: else fi }
#ifndef BUG_KEEPS_A_WAKE_UP
      atomic { SET_WAIT; slept = 0 }
      if
      :: atomic { permits[0] == 0 || permits[PERMITS - 1] == 0 }
        WAKE_AND_MAIL(gave_up_silent, rest);
      :: atomic { !(permits[0] == 0 || permits[PERMITS - 1] == 0) }
      fi;
#endif
rest:
      atomic { h = 0; slept = 0; WAITING(i, 0) }
#ifndef LIVE
    :: atomic { state[i] = GONE; goto left }
#endif
    od
  } MAY_DIE(h = 0; at = 0; slept = 0; looked = 0; barging = 0);
  come_back(attached);
left:
  skip
}

#include "environment.pml"

#ifdef LIVE
ltl live { [] (waiting[0] -> <> !waiting[0]) }
#endif
