/*
 * The barrier of docs/synchronisation.md, with N parties that are members from the start: B1, B2.
 * Each arrives ROUNDS times, and may give up and arrive again.
 */

#include "common.pml"

#ifndef ROUNDS
#define ROUNDS 2
#endif

#ifdef BUG_GIVES_UP_WHAT_IS_OVER
#define IF_STILL(was) arrived > 0
#else
#define IF_STILL(was) phase == was && !broken
#endif
#ifdef BUG_COUNTS_WRONGLY
#define PARTIES (N - 1)
#else
#define PARTIES N
#endif

bool broken;
byte phase;
byte arrived;
byte passed[N]; /* ghost: how many times each has arrived */

#define ON_KILL(p) skip
#define HAS_ARRIVED(p) && passed[p] > phase_was
#define IS_DEAD(p) || state[p] == GONE && passed[p] < ROUNDS

active [N] proctype Participant() {
  byte phase_was, rounds;
#if ASYNC
  byte picked;
#endif

  {
    do
    :: rounds < ROUNDS ->
#if ASYNC
      atomic { interest[i] = INTEREST_IN(ON_WORD) }
#endif
      atomic {
        if :: broken -> goto told :: else fi;
        phase_was = phase;
        passed[i]++;
        if
        :: arrived + 1 == PARTIES -> phase++; arrived = 0
        :: else -> arrived++; goto rest
        fi
      }
#ifndef BUG_LEADER_WAKES_NOBODY
      WAKE_ALL;
      mail_all(ON_WORD);
#endif
      goto through;
rest:
      sleep(ON_WORD, phase == phase_was && !broken, SLICES);
#ifndef LIVE
      if
      :: skip
      /* Gives up. */
      :: atomic { IF_STILL(phase_was) -> arrived--; passed[i]--; phase_was = 0; goto gave_up }
      fi;
#endif
      atomic {
        if
        :: phase != phase_was -> goto through
        :: broken -> goto told
        :: else
        fi
      }
#ifndef BUG_NOBODY_LOOKS_FOR_THE_DEAD
      atomic {
        if
        :: SLICES && (false EACH(IS_DEAD))
        :: else -> goto rest
        fi
      }
      atomic { if :: phase == phase_was && !broken -> broken = 1 :: else -> goto rest fi }
      WAKE_ALL;
      mail_all(ON_WORD);
#endif
      goto rest;
through:
      atomic { assert(true EACH(HAS_ARRIVED)); phase_was = 0; rounds++ }
gave_up:
      skip
    :: else -> break
    od;
told:
    atomic { state[i] = GONE; goto left }
  } MAY_DIE(phase_was = 0; rounds = 0);
left:
  skip
}

#include "environment.pml"

#ifdef LIVE
ltl live { <> (state[0] == GONE) }
#endif
