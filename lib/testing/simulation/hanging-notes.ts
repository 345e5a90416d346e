import {
  activityOf,
  makeNotesMemory,
  TurnNotes,
  type ChannelNotes,
  type SlotActivity,
} from "../../../actors/slot/turn-notes.ts";
import type { WaitingCode } from "./waiting-code.ts";

export interface HangingNotesOptions {
  /** Hears when user code waits. */
  readonly waiting?: WaitingCode | undefined;
  /** A task begins. */
  readonly onTask?: () => void;
  /** A channel's turn is over, or waits. */
  readonly onRest?: (() => void) | undefined;
}

/** The notes of a simulated slot, whose user code can be made to hang: it is given up in the task that it begins next. */
export class HangingNotes extends TurnNotes {
  readonly #memory: Int32Array;
  readonly #options: HangingNotesOptions;
  /** The channel of which something runs now. */
  present: ChannelNotes | undefined = undefined;
  /** What waits is noted again as others rest: no task begins by that. */
  #resting = false;
  #hung: ((activity: SlotActivity) => void) | undefined;

  constructor(options: HangingNotesOptions = {}) {
    const memory = makeNotesMemory();
    super(memory);
    this.#memory = memory;
    this.#options = options;
  }

  /** User code won't come back from the next task. */
  hangNext(hung: (activity: SlotActivity) => void): void {
    this.#hung = hung;
  }

  override write(notes: ChannelNotes): void {
    super.write(notes);
    this.present = notes;
    if (notes.seq < 0 || this.#resting) return;
    // What it takes is noted later.
    if (notes.consumed.length === 0) this.#options.onTask?.();
    if (this.#hung === undefined) return;
    const hung = this.#hung;
    this.#hung = undefined;
    hung(activityOf(this.#memory));
  }

  override rest(): void {
    this.#resting = true;
    super.rest();
    this.#resting = false;
    this.present = undefined;
    this.#options.onRest?.();
  }

  override waits(notes: ChannelNotes, pending: Promise<unknown>): void {
    super.waits(notes, pending);
    const { waiting } = this.#options;
    if (waiting === undefined) return;
    const { execution, life } = notes;
    waiting.began(execution, life);
    const settled = (): void => waiting.ended(execution, life);
    pending.then(settled, settled);
  }
}
