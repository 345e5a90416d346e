import { activityOf, TurnNotes, type ChannelNotes, type SlotActivity } from "../slot/turn-notes.ts";

// How often a slot's notes are looked at.
const lookEveryMs = 40;

/** Memory for whether what a slot is at was told and not taken back: 1 or 0. */
export function makeToldFlag(): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(4));
}

/** What the slot was at when it ended; undefined where nothing is known, as at the event loop. */
export function activityAtEnd(memory: Int32Array): SlotActivity | undefined {
  const activity = activityOf(memory);
  return activity.execution === undefined ? undefined : { ...activity, ended: true };
}

/**
 * Tells what a slot is at for longer than a moment: a heap that runs over ends the process, and leaves nobody to say in which
 * task. Another thread of the slot's process does it; the slot itself has `ToldNotes`.
 *
 * @param tell - gets what the slot is at, and null if it wasn't any more when that was told
 */
export function watchActivity(
  memory: Int32Array,
  told: Int32Array,
  tell: (activity: SlotActivity | null) => void,
): () => void {
  const look = (): string => JSON.stringify(activityOf(memory));
  let seen = "";
  const timer = setInterval(() => {
    const before = seen;
    seen = look();
    const activity = activityAtEnd(memory);
    if (seen !== before || activity === undefined || Atomics.load(told, 0) === 1) return;
    Atomics.store(told, 0, 1);
    tell(activity);
    // The slot takes it back when it is at something else. If it is by now, it may not have seen that it should.
    if (look() === seen) return;
    Atomics.store(told, 0, 0);
    tell(null);
  }, lookEveryMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** Notes that take back at once what was told of something that is over. */
export class ToldNotes extends TurnNotes {
  readonly #told: Int32Array;
  readonly #takeBack: () => void;

  constructor(memory: Int32Array, told: Int32Array, takeBack: () => void) {
    super(memory);
    this.#told = told;
    this.#takeBack = takeBack;
  }

  override write(notes: ChannelNotes): void {
    super.write(notes);
    this.#over();
  }

  override rest(): void {
    super.rest();
    this.#over();
  }

  /** An exchange, not a load: the notes before it must be seen by whoever doesn't see it. */
  #over(): void {
    if (Atomics.exchange(this.#told, 0, 0) === 1) this.#takeBack();
  }
}
