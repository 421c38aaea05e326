/* Once of docs/synchronisation.md. */

#include "common.pml"

bool worked; /* ghost: a run has */
byte holder; /* ghosts of the lock word, as in mutex.pml */
bool died;

#define DONE 63
#define TAKEN(told) assert(holder == 0 && !worked); holder = me; assert(died == (told))
#define RELEASED assert(holder == me); holder = 0
#ifdef BUG_DEATH_IS_NOT_TOLD
#define FLAGS_OF(w) (w & DIED)
#else
#define FLAGS_OF(w) DIED
#endif
#define ON_KILL(p) if :: holder == ID(p) -> holder = 0; died = 1 :: else fi

#include "lock_word.pml"

active [N] proctype Participant() {
  LOCALS;

attached:
  {
    do
    :: true ->
      atomic { if :: OWNER(word) == DONE -> goto nothing_to_do :: else fi }
      lock_word();
      if
      :: goto failed
      :: skip
      fi;
      /* It has worked. */
      atomic {
        w = word;
        assert(OWNER(w) == me);
#ifdef BUG_SAYS_FREE
        word = 0;
#else
        word = DONE;
#endif
        RELEASED;
        worked = 1;
        if
        :: w & WAIT -> w = 0
        :: else -> w = 0; goto nothing_to_do
        fi
      }
#ifndef BUG_IS_DONE_IN_SILENCE
      atomic { EACH(WAKE_SLEEPER) }
      mail_all(ON_WORD);
#endif
      goto nothing_to_do;
failed:
      unlock_word();
      goto rest;
done:
#if ASYNC
      atomic { interest[i] = 0 }
#endif
      atomic {
        w = 0; h = 0; barging = 0;
        if :: next == me -> next = 0 :: else fi;
        WAITING(i, 0);
#ifdef BUG_KEEPS_A_WAKE_UP
        slept = 0
#endif
      }
      /* It may have been the only one that was woken, by who has failed. */
      if
      :: atomic { slept -> slept = 0; EACH(WAKE_SLEEPER) }
        mail_all(ON_WORD)
      :: !slept
      fi;
nothing_to_do:
      atomic { assert(worked && next != me) }
      goto rest;
give_up:
      give_up_word();
rest:
      skip
#ifndef LIVE
    :: atomic { state[i] = GONE; goto left }
#endif
    od
  } MAY_DIE(FORGET);
  come_back(attached);
left:
  skip
}

#include "environment.pml"

#ifdef LIVE
ltl live { [] (waiting[0] -> <> !waiting[0]) }
#endif
