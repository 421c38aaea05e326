/*
 * What all models share: participants that can be killed and come back, sleeping and waking, mail.
 *
 * A model has N processes of one proctype, whose numbers are their slots, and defines ON_KILL(p).
 * Each `atomic` or `d_step` with an access to shared variables is one atomic action of the protocol,
 * and what follows from it locally. Between any two of them a process may be killed.
 *
 * N          participants
 * CRASHES    how many times anybody is killed, at most
 * REBIRTH    who was killed may come back, in the same slot with another generation
 * SLICES     sleeps end by themselves; without it only by wake-ups and by what SPURIOUS says
 * SPURIOUS   sleeps may end without a reason, until nothing more happens
 * VICTIMS    a set: who may be killed; all if it is not given
 * ASYNC      a set: participants that wait in an event loop, for mail
 * LIVE       for properties of liveness: what takes time, is done when it is due
 */

#ifndef N
#define N 2
#endif
#ifndef CRASHES
#define CRASHES 0
#endif
#ifndef REBIRTH
#define REBIRTH 0
#endif
#ifndef SLICES
#define SLICES 0
#endif
#ifndef SPURIOUS
#define SPURIOUS 0
#endif
#ifndef VICTIMS
#define VICTIMS 255
#endif
#ifndef ASYNC
#define ASYNC 0
#endif

/* An id has the number of its slot and the generation. 0 is nobody. */
#define ID(p) (gen[p] * N + (p) + 1)
#define SLOT(id) (((id) - 1) % N)

#define i _pid
#define me ID(i)

#define LIVING 0
#define KILLED 1 /* it does nothing more, but the kernel has not cleaned up yet */
#define GONE 2 /* its byte is unlocked */

byte state[N];
byte gen[N];
byte asleep[N]; /* the word it sleeps on; 0: it does not */
#if ASYNC
bool mail[N];
byte interest[N]; /* the word that it wants mail for; 0: none */
#endif
#ifdef LIVE
bool waiting[N];
#define WAITING(p, is) waiting[p] = is
#else
#define WAITING(p, is) skip
#endif
#if CRASHES
byte crashes = CRASHES;
#endif

#define IS_ASYNC(p) ((ASYNC >> (p)) & 1)

/* What a probe says: exact once the kernel has cleaned up, and "alive" before that. */
#define DEAD(id) (state[SLOT(id)] == GONE || ID(SLOT(id)) != (id))

/* ok = (variable was `from`, and is `to` now) */
inline exchange(variable, from, to, ok) {
  if
  :: variable == (from) -> variable = to; ok = 1
  :: else -> ok = 0
  fi
}

/* What most sleep on; other words have other numbers. */
#define ON_WORD 1
#define INTEREST_IN(word) (IS_ASYNC(i) -> (word) : 0)

/* For what is done for each participant that there may be, or is one choice for each. */
#if N == 2
#define EACH(what) what(0) what(1)
#elif N == 3
#define EACH(what) what(0) what(1) what(2)
#else
#define EACH(what) what(0) what(1) what(2) what(3)
#endif

/* Wakes one of those that sleep on WHERE, and goes on at `otherwise` if there is none. */
#define WAKE_ON_WORD(p) :: asleep[p] == ON_WORD -> asleep[p] = 0
#define WAKE_ONE(choices, otherwise) atomic { if EACH(choices) :: else -> goto otherwise fi }

#define SLEEPS_NO_MORE(p) asleep[p] = 0;
#define WAKE_ALL atomic { EACH(SLEEPS_NO_MORE) }

/* To choose whom to mail, and to mail it, are two steps: by then it may wait no longer. */
#if ASYNC
#define NOBODY N
#define WANTS_MAIL(p) :: interest[p] == where && state[p] == LIVING -> picked = p
inline mail_one(where) {
  atomic { if EACH(WANTS_MAIL) :: else -> picked = NOBODY fi }
  atomic { if :: picked != NOBODY -> mail[picked] = 1 :: else fi; picked = 0 }
}

#define GETS_MAIL(p) mail[p] = mail[p] || interest[p] == where;
inline mail_all(where) {
  atomic { EACH(GETS_MAIL) }
}

inline mail_to(id) {
  atomic {
    if
    :: !DEAD(id) && IS_ASYNC(SLOT(id)) -> mail[SLOT(id)] = 1
    :: else
    fi
  }
}

#else
inline mail_one(where) { skip }
inline mail_all(where) { skip }
inline mail_to(id) { skip }
#endif

/* Sleeps on `where` if `condition` holds, or for mail; `ends`: when the time is over. */
inline sleep(where, condition, ends) {
  atomic {
    if
    :: !IS_ASYNC(i) && (condition) -> asleep[i] = where
    :: else
    fi
  }
  if
  :: !IS_ASYNC(i) && asleep[i] == 0
#if ASYNC
  :: atomic { IS_ASYNC(i) && mail[i] -> mail[i] = 0 }
#endif
  :: atomic { (IS_ASYNC(i) || asleep[i] != 0) && (ends) -> asleep[i] = 0 }
  fi
}

/* Of a participant. */
#if ASYNC
#define LOCALS byte w, h, picked; bool slept, barging
#define FORGET w = 0; h = 0; picked = 0; slept = 0; barging = 0
#else
#define LOCALS byte w, h; bool slept, barging
#define FORGET w = 0; h = 0; slept = 0; barging = 0
#endif

#if CRASHES
#define MAY_DIE(forget) unless { atomic { state[i] == KILLED -> state[i] = GONE; forget } }
#else
#define MAY_DIE(forget)
#endif

#ifndef ON_COMING_BACK
#define ON_COMING_BACK
#endif

/* After a death. What it had before is forgotten. */
#if REBIRTH
inline come_back(again) {
  if
  :: state[i] = LIVING
  :: goto left
  fi;
#if ASYNC
  atomic { gen[i]++; interest[i] = 0; mail[i] = 0; ON_COMING_BACK goto again }
#else
  atomic { gen[i]++; ON_COMING_BACK goto again }
#endif
}
#else
inline come_back(again) { skip }
#endif
