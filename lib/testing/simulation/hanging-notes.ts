import {
  activityOf,
  makeNotesMemory,
  TurnNotes,
  type ChannelNotes,
  type SlotActivity,
} from "../../../actors/slot/turn-notes.ts";
import type { WaitingCode } from "./waiting-code.ts";

/** The notes of a simulated slot, whose user code can be made to hang: it is given up in the task that it begins next. */
export class HangingNotes extends TurnNotes {
  readonly #memory: Int32Array;
  readonly #waiting: WaitingCode | undefined;
  #hung: ((activity: SlotActivity) => void) | undefined;

  /** @param waiting - hears when user code waits */
  constructor(waiting?: WaitingCode) {
    const memory = makeNotesMemory();
    super(memory);
    this.#memory = memory;
    this.#waiting = waiting;
  }

  /** User code won't come back from the next task. */
  hangNext(hung: (activity: SlotActivity) => void): void {
    this.#hung = hung;
  }

  override write(notes: ChannelNotes): void {
    super.write(notes);
    if (notes.seq < 0 || this.#hung === undefined) return;
    const hung = this.#hung;
    this.#hung = undefined;
    hung(activityOf(this.#memory));
  }

  override waits(notes: ChannelNotes, pending: Promise<unknown>): void {
    super.waits(notes, pending);
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    waiting.began(notes.life);
    const settled = (): void => waiting.ended(notes.life);
    pending.then(settled, settled);
  }
}
