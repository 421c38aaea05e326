/*
 * The lock word, which mutex.pml and rwlock.pml include. The numbers are those of the steps in
 * docs/synchronisation.md. Who includes it defines
 *
 * TAKEN(told)      what an exchange means that made `me` the owner
 * RELEASED         what an exchange means that ended that
 * WAKES_ALL        if an unlock wakes all, and not one
 * FLAGS_OF(w)      DIED or 0: for who takes the word over from a dead owner
 * DONE             once: the owner that means that it is done; then lock_word() ends at `done`, too
 */

#define WAIT 128
#define DIED 64
#define OWNER(w) ((w) & 63)
#if defined(DONE) && !defined(BUG_GIVES_UP_IN_SILENCE)
#define IS_DONE(w) (OWNER(w) == DONE)
#else
#define IS_DONE(w) false
#endif

#define ON_NEXT 2
#define WAKE_SLEEPER(p) if :: asleep[p] == ON_WORD || asleep[p] == ON_NEXT -> asleep[p] = 0 :: else fi;

byte word;
byte next;

/* In a check of liveness, demands are made when they may be, and time is long enough for the living. */
#ifdef LIVE
#define POLITENESS_ENDS (word != w || next != h || DEAD(h) || !waiting[SLOT(h)])
#define MUST_DEMAND slept
#define MAY_GIVE_UP false
#else
/* In a check of who wakes those who demand, the polite have time until the demand has been met. */
#ifdef POLITE_UNTIL_MET
#define POLITENESS_ENDS (next != h)
#else
#define POLITENESS_ENDS true
#endif
#define MUST_DEMAND false
#ifdef NOBODY_GIVES_UP
#define MAY_GIVE_UP false
#else
#define MAY_GIVE_UP true
#endif
#endif

/* Long enough for a demand has waited who has slept. */
#define MAY_DEMAND slept

#ifdef BUG_TAKES_ANY_WORD
#define IF_STILL(w) true
#else
#define IF_STILL(w) word == w
#endif
#ifdef BUG_NOBODY_LOOKS_FOR_THE_DEAD
#define LOOKS_DEAD(id) false
#else
#define LOOKS_DEAD(id) DEAD(id)
#endif
#ifdef BUG_TAKES_OVER_WITHOUT_WAIT
#define WAIT_WHEN_DEAD 0
#else
#define WAIT_WHEN_DEAD WAIT
#endif

#ifdef BUG_UNLOCK_FORGETS_DEATH
#define DIED_OF(w) 0
#else
#define DIED_OF(w) ((w) & DIED)
#endif

#define ANEW w = 0; h = 0; goto again

/* Ends at `locked`, or at `give_up`. */
inline lock_word() {
  atomic {
    WAITING(i, 1);
    if
    :: word == 0 -> word = me; TAKEN(0); goto locked
    :: else
    fi
  }
#if ASYNC
  /* From now on it may be mailed instead of another. */
  atomic {
    interest[i] = INTEREST_IN(ON_WORD);
#ifndef BUG_INTEREST_IS_NO_SLEEP
    slept = IS_ASYNC(i)
#endif
  }
#endif

again:
  atomic {
    w = word;
    if
    :: OWNER(w) == 0
#ifdef DONE
    :: OWNER(w) == DONE -> goto done
#ifdef BUG_DONE_IS_DEAD
    :: OWNER(w) == DONE && slept -> goto dead
#endif
    :: OWNER(w) != DONE && OWNER(w) != 0 && (LOOKS_DEAD(OWNER(w)) || OWNER(w) == me) -> goto dead
    :: OWNER(w) != DONE && OWNER(w) != 0 && OWNER(w) != me && !(slept && LOOKS_DEAD(OWNER(w))) ->
#else
    :: OWNER(w) != 0 && (LOOKS_DEAD(OWNER(w)) || OWNER(w) == me) -> goto dead
    :: OWNER(w) != 0 && OWNER(w) != me && !(slept && LOOKS_DEAD(OWNER(w))) ->
#endif
      if
      :: (w & WAIT) == 0 -> goto announce
      :: else -> goto owned
      fi
    fi
  }

  /* 2 */
  atomic {
    h = next;
    if
#ifdef BUG_IMPOLITE
    :: true -> h = 0; goto take
#endif
    :: h == 0 || h == me || barging -> h = 0; goto take
    :: else
    fi;
#ifndef BUG_POLITE_IS_NO_SLEEP
    slept = 1
#endif
  }
  sleep(ON_WORD, word == w, POLITENESS_ENDS);
  atomic {
    if
    :: true
    :: MAY_GIVE_UP -> goto give_up
    fi;
    if
    :: word != w -> ANEW
    :: else -> w = 0
    fi
  }
  atomic {
    if
    :: next == h -> next = 0; barging = 1
    :: else -> ANEW
    fi;
  }
again_anew:
  atomic { ANEW }

take:
  atomic {
    if
    :: word == w ->
      word = me | (w & DIED) | ((slept || (w & WAIT)) -> WAIT : 0);
      TAKEN((w & DIED) != 0);
      goto got
#ifdef LIVE
    :: else -> word = word | WAIT; slept = 1; if :: next == 0 -> next = me :: else fi; ANEW
#else
    :: else -> ANEW
#endif
    fi
  }

  /* 3 */
dead:
  atomic {
    if
    :: IF_STILL(w) ->
      word = me | WAIT_WHEN_DEAD | FLAGS_OF(w);
      TAKEN(FLAGS_OF(w) != 0);
#ifdef BUG_TAKES_OVER_AND_DEMANDS
      w = 0; h = 0; slept = 0; barging = 0; goto got_over
#else
      goto got
#endif
    :: else -> ANEW
    fi
  }

  /* 4 */
announce:
  atomic {
    if
    :: word == w -> word = w | WAIT; w = w | WAIT
#ifdef LIVE
    /* That exchanges fail for ever, is not assumed: it would be a matter of chance, not of the protocol. */
    :: else -> word = word | WAIT; slept = 1; if :: next == 0 -> next = me :: else fi; ANEW
#else
    :: else -> ANEW
#endif
    fi
  }
  /* 5 */
owned:
  atomic {
    if
    :: MAY_DEMAND && next == 0 -> next = me; ANEW
    :: !MUST_DEMAND || next != 0
    fi
  }
  /* 6 */
  atomic { slept = 1 }
#ifdef BUG_SLEEPS_ON_NEXT
  sleep((next == me -> ON_NEXT : ON_WORD), (next == me || word == w), SLICES);
#else
  sleep(ON_WORD, word == w, SLICES);
#endif
  atomic {
    w = 0;
    if
    :: goto again
    :: MAY_GIVE_UP -> goto give_up
    fi
  }

got:
  atomic {
    if :: next == me -> next = 0 :: else fi;
    w = 0; h = 0; slept = 0; barging = 0
  }
#ifdef BUG_TAKES_OVER_AND_DEMANDS
got_over:
#endif
#if ASYNC
  atomic { interest[i] = 0 }
#endif
locked:
  atomic { assert(next != me); WAITING(i, 0) }
}

/* Ends at `unlocked`. */
inline unlock_word() {
#ifdef BUG_UNLOCKS_BLINDLY
  if
  :: word == me -> atomic { word = 0; RELEASED; goto unlocked }
  :: word != me
  fi;
#else
  skip;
#endif
unlocking:
  atomic {
    w = word;
    assert(OWNER(w) == me);
    if
    :: w == me -> word = 0; RELEASED; w = 0; goto unlocked
    :: else
    fi
  }
  h = next;
  atomic {
    if
    :: word == w -> word = DIED_OF(w) | (h != 0 -> WAIT : 0); RELEASED
    :: else -> w = 0; h = 0; goto unlocking
    fi;
    if
    :: (w & WAIT) == 0 -> w = 0; h = 0; goto unlocked
    :: else -> w = 0
    fi
  }
#ifdef WAKES_ALL
  atomic { EACH(WAKE_SLEEPER) h = 0 }
  mail_all(ON_WORD);
#else
#ifndef BUG_NEXT_READ_ONCE
  /* Who demands now, may have seen the word before it was free. */
  h = next;
#endif
  if
  :: atomic { h != 0 -> EACH(WAKE_SLEEPER) skip }
    atomic { mail_to(h); h = 0; goto unlocked }
  :: h == 0
  fi;
  WAKE_ONE(WAKE_ON_WORD, nobody_woken);
  goto unlocked;
nobody_woken:
  mail_one(ON_WORD);
#endif
unlocked:
  skip
}

/* Ends at `given_up`. */
inline give_up_word() {
#if ASYNC
  atomic { interest[i] = 0 }
#endif
  atomic { w = 0; h = 0; slept = 0; barging = 0; if :: next == me -> next = 0 :: else fi }
#ifndef BUG_KEEPS_A_WAKE_UP
passing:
  atomic {
    w = word;
    if
    :: OWNER(w) == 0 || IS_DONE(w) -> w = 0; goto pass_on
    :: OWNER(w) != 0 && !IS_DONE(w) && (w & WAIT) -> w = 0; goto given_up
    :: OWNER(w) != 0 && !IS_DONE(w) && !(w & WAIT)
    fi
  }
  atomic {
    if
    :: word == w -> word = w | WAIT; w = 0; goto given_up
    :: else -> w = 0; goto passing
    fi
  }
pass_on:
  WAKE_ONE(WAKE_ON_WORD, pass_on_mail);
  goto given_up;
pass_on_mail:
  mail_one(ON_WORD);
#endif
given_up:
  atomic { assert(next != me); WAITING(i, 0) }
}
