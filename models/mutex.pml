/* The mutex of docs/synchronisation.md: M1, M2, M3. */

#include "common.pml"

/* Which of the living has it, by what its exchanges said. */
byte holder;
/* An owner has died, and none has marked the lock consistent since. */
bool died;
#ifdef ONLY_OWNERS_DIE
bool may_die[N];
#define MAY_KILL(p) may_die[p]
#endif

#define TAKEN(told) assert(holder == 0); holder = me; assert(died == (told))
#define RELEASED assert(holder == me); holder = 0
#ifdef BUG_DEATH_IS_NOT_TOLD
#define FLAGS_OF(w) (w & DIED)
#else
#define FLAGS_OF(w) DIED
#endif
#define ON_KILL(p) \
  if \
  :: holder == ID(p) -> holder = 0; died = 1 \
  :: else \
  fi

/* Sleeps end when the owner has died and in no other way: one slice is enough then. */
#define DEATH_OF_OWNER (OWNER(word) != 0 && DEAD(OWNER(word)))

#include "lock_word.pml"

active [N] proctype Participant() {
  LOCALS;

attached:
  {
    do
    :: true ->
      lock_word();
#ifdef ONLY_OWNERS_DIE
      atomic { may_die[i] = 1 }
      atomic { may_die[i] = 0 }
#endif
      if
      :: skip
      :: atomic { word & DIED -> word = word & ~DIED; died = 0 }
      fi;
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
  } MAY_DIE(FORGET);
  come_back(attached);
left:
  skip
}

#include "environment.pml"

#ifdef LIVE
ltl live { [] (waiting[0] -> <> !waiting[0]) }
#endif
