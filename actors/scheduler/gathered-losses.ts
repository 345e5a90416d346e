import type { LossMessage, LossReason } from "./messages.ts";

/** Makes one message of slots that are lost by one error, as all of a machine are, one after the other: they are one loss. */
export class GatheredLosses {
  /** It is in the mailbox, and takes more slots. */
  #open: { readonly message: LossMessage; readonly slots: string[] } | undefined;

  /**
   * What is to be told; undefined where a message that waits takes the slot, too.
   *
   * @param reason - what it was at, where that may be the reason: then it is a loss by itself
   */
  add(slot: string, error: Error, reason: LossReason | undefined): LossMessage | undefined {
    const isOfMachine = typeof reason !== "object";
    if (isOfMachine && this.#open?.message.error === error) {
      this.#open.slots.push(slot);
      return undefined;
    }
    const slots = [slot];
    const message: LossMessage = { kind: "lost", slots, error, reason };
    this.#open = isOfMachine ? { message, slots } : undefined;
    return message;
  }

  /** A message has left the mailbox. */
  taken(message: LossMessage): void {
    if (this.#open?.message === message) this.#open = undefined;
  }
}
