/*
 * What happens to the participants; included last, so that they have the process numbers 0 to N - 1.
 * It ends at any moment: whatever is lost must not be made good by it.
 */

#ifndef MAY_KILL
#define MAY_KILL(p) true
#endif
#define CAN_KILL(p) (crashes > 0 && ((VICTIMS >> (p)) & 1) && MAY_KILL(p) && state[p] == LIVING)
#if ASYNC
#define CAN_SHAKE(p) (asleep[p] != 0 || (IS_ASYNC(p) && interest[p] && !mail[p]))
#define SHAKE(p) asleep[p] = 0; mail[p] = IS_ASYNC(p)
#else
#define CAN_SHAKE(p) asleep[p] != 0
#define SHAKE(p) asleep[p] = 0
#endif

#define KILL(p) \
  :: atomic { \
       CAN_KILL(p) -> crashes--; state[p] = KILLED; asleep[p] = 0; WAITING(p, 0); ON_KILL(p) \
     }
#define SHAKEN(p) :: d_step { CAN_SHAKE(p) -> SHAKE(p) }

#if CRASHES || SPURIOUS
active proctype Environment() {
  do
#if CRASHES
  EACH(KILL)
#endif
#if SPURIOUS
  EACH(SHAKEN)
#endif
  :: break
  od
}
#endif
