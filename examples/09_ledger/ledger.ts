// The ledger, and how a transfer is made so that whoever comes after a death can undo half of one.

import { type InferLive, type MutexGuard, t } from "../../mod.ts";

export const NAME = "shmkit-ledger";
export const ACCOUNTS = 4;
export const BALANCE = 1000;

export const Ledger = t.struct("Ledger", {
  lock: t.mutex,
  transfers: t.u32,
  accounts: t.array(t.i32, ACCOUNTS),
  // The journal: what two accounts had before the transfer that is under way.
  from: t.u32,
  to: t.u32,
  fromBalance: t.i32,
  toBalance: t.i32,
  // Atomic, so that no compiler moves what is written before it behind it, or the other way round.
  underWay: t.atomic(t.u32),
});
type LiveLedger = InferLive<typeof Ledger>;

/** Moves money. To be called with the lock held; `half` is called when half of it is done. */
export function transfer(
  ledger: LiveLedger,
  from: number,
  to: number,
  amount: number,
  half: () => void = () => {},
): void {
  const { accounts, underWay } = ledger;
  ledger.from = from;
  ledger.to = to;
  ledger.fromBalance = accounts[from] as number;
  ledger.toBalance = accounts[to] as number;
  underWay.store(1);
  accounts[from] = ledger.fromBalance - amount;
  half();
  accounts[to] = ledger.toBalance + amount;
  ledger.transfers++;
  underWay.store(0);
}

/** Undoes half a transfer if there is one, and says that all is well again. @returns Whether it was. */
export function repair(ledger: LiveLedger, guard: MutexGuard): boolean {
  const { accounts, underWay } = ledger;
  const wasHalf = underWay.load() === 1;
  if (wasHalf) {
    accounts[ledger.from] = ledger.fromBalance;
    accounts[ledger.to] = ledger.toBalance;
    underWay.store(0); // last: if we die before it, the next one undoes the same again
  }
  guard.markConsistent();
  return wasHalf;
}

export function total({ accounts }: LiveLedger): number {
  return accounts.reduce((sum, balance) => sum + balance, 0);
}
