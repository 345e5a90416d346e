import {
  activityOf,
  makeNotesMemory,
  TurnNotes,
  type ChannelNotes,
  type SlotActivity,
} from "../../../actors/slot/turn-notes.ts";

/** The notes of a simulated slot, whose user code can be made to hang: it is given up in the task that it begins next. */
export class HangingNotes extends TurnNotes {
  readonly #memory: Int32Array;
  #hung: ((activity: SlotActivity) => void) | undefined;

  constructor(memory = makeNotesMemory()) {
    super(memory);
    this.#memory = memory;
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
}
