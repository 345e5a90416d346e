import { crc32 } from "node:zlib";
import type { Consumed } from "../../lib/core/contracts/lineage.ts";
import type { TaskNotes } from "../channel/channel-parts.ts";
import { ActorNotes, actorNoteWords, ActorTexts, readActorNote, type ActorActivity } from "./actor-notes.ts";

/** What a slot was at when it was last heard of. */
export interface SlotActivity {
  /** Which execution, as `executionMark` has it; undefined where that isn't known. */
  readonly execution: number | undefined;
  /** The life of a channel; undefined while the module of the flow was loaded. */
  readonly life: number | undefined;
  /** Its task; undefined outside of tasks, as in `open`. */
  readonly seq: number | undefined;
  /** What the task had taken; the first of many runs of parcels. */
  readonly consumed: readonly Consumed[];
  /** Where it was an actor's code that ran. */
  readonly actor?: ActorActivity;
  /** True where its asynchronous code was waiting: something else may have run meanwhile. */
  readonly waits?: true;
  /** True if the slot ended by itself; else it was given up because it hung. */
  readonly ended?: true;
}

// Places of the notes, in words of 32 bits.
const beatAt = 0;
const kindAt = 1;
const executionAt = 2;
const lifeAt = 3;
const seqAt = 4;
const runsAt = 5;
const waitsAt = 6;
const headWords = 7;
const runWords = 4;
const runsMax = 16;
const actorAt = headWords + runsMax * runWords;

const idle = 0;
const loading = 1;
const inChannel = 2;
const inActor = 3;

const nothingConsumed: readonly Consumed[] = [];

/** Memory for the notes of one slot, which whoever watches it reads too. */
export function makeNotesMemory(): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer((actorAt + actorNoteWords) * 4));
}

/** The number that stands for an execution in notes, as they have no room for names. */
export function executionMark(execution: string): number {
  return crc32(execution) | 0;
}

/** How often the slot came back to its event loop, modulo 2 ** 32; 0 before the first time. */
export function beatsOf(memory: Int32Array): number {
  return Atomics.load(memory, beatAt);
}

/** What the slot is at, as far as that is known. */
export function activityOf(memory: Int32Array): SlotActivity {
  const word = (at: number): number => memory[at] ?? 0;
  const kind = word(kindAt);
  const nothing = { execution: undefined, life: undefined, seq: undefined, consumed: nothingConsumed };
  if (kind === idle) return nothing;
  const execution = word(executionAt);
  if (kind === loading) return { ...nothing, execution };
  if (kind === inActor) {
    return { ...nothing, execution, life: word(lifeAt), seq: word(seqAt), actor: readActorNote(memory, actorAt) };
  }
  const consumed = Array.from({ length: Math.min(word(runsAt), runsMax) }, (_, run) => {
    const at = headWords + run * runWords;
    return { edge: word(at), from: word(at + 1), firstSeq: word(at + 2), lastSeq: word(at + 3) };
  });
  const seq = word(seqAt) < 0 ? undefined : word(seqAt);
  return { execution, life: word(lifeAt), seq, consumed, ...(word(waitsAt) === 1 ? { waits: true } : {}) };
}

/**
 * Notes of a slot on what it is at, for others to read when user code doesn't come back: some stores a task. Of asynchronous
 * code that waits, it is only known what goes on where a single channel has any.
 */
export class TurnNotes {
  readonly #memory: Int32Array;
  readonly #waiting = new Set<ChannelNotes>();
  readonly #texts: ActorTexts;

  constructor(memory: Int32Array) {
    this.#memory = memory;
    this.#texts = new ActorTexts(memory, actorAt);
  }

  /** The slot is at its event loop. */
  beat(): void {
    Atomics.add(this.#memory, beatAt, 1);
  }

  /** Notes of one life of a channel. */
  channel(execution: string, life: number): ChannelNotes {
    return new ChannelNotes(this, executionMark(execution), life);
  }

  /** Notes of one node of actors. Whoever gives it turns calls `turn` before each, and `rest` of these after it. */
  actors(execution: string, life: number): ActorNotes {
    const memory = this.#memory;
    const mark = executionMark(execution);
    let messages = 0;
    const begun = (): void => {
      memory[executionAt] = mark;
      memory[lifeAt] = life;
      // Who looks twice sees that it isn't the same message.
      memory[seqAt] = messages = (messages + 1) | 0;
      memory[kindAt] = inActor;
    };
    return new ActorNotes(this.#texts, begun, () => void (memory[kindAt] = idle));
  }

  /** The module of a flow is loaded, and the flow built. */
  async loads<T>(execution: string, load: () => Promise<T>): Promise<T> {
    this.#memory[executionAt] = executionMark(execution);
    this.#memory[kindAt] = loading;
    try {
      return await load();
    } finally {
      if (this.#memory[kindAt] === loading) this.rest();
    }
  }

  /** @internal A channel begins something. */
  write({ execution, life, seq, consumed }: ChannelNotes): void {
    const memory = this.#memory;
    memory[kindAt] = inChannel;
    memory[executionAt] = execution;
    memory[lifeAt] = life;
    memory[seqAt] = seq;
    memory[waitsAt] = 0;
    const runs = Math.min(consumed.length, runsMax);
    memory[runsAt] = runs;
    for (let run = 0; run < runs; run++) {
      const { edge, from, firstSeq, lastSeq } = consumed[run] as Consumed;
      const at = headWords + run * runWords;
      memory[at] = edge;
      memory[at + 1] = from;
      memory[at + 2] = firstSeq;
      memory[at + 3] = lastSeq;
    }
  }

  /** @internal A turn of a channel, or of actors, is over, or waits. */
  rest(): void {
    const [only] = this.#waiting;
    if (only !== undefined && this.#waiting.size === 1) {
      this.write(only);
      this.#memory[waitsAt] = 1;
    } else this.#memory[kindAt] = idle;
  }

  /** @internal Asynchronous code of a channel waits, until the promise is settled. */
  waits(channel: ChannelNotes, pending: Promise<unknown>): void {
    this.#waiting.add(channel);
    const settled = (): void => {
      this.#waiting.delete(channel);
      this.rest();
    };
    pending.then(settled, settled);
  }
}

/** What one life of a channel is at. */
export class ChannelNotes implements TaskNotes {
  readonly execution: number;
  readonly life: number;
  seq = -1;
  consumed = nothingConsumed;
  readonly #slot: TurnNotes;

  constructor(slot: TurnNotes, execution: number, life: number) {
    this.#slot = slot;
    this.execution = execution;
    this.life = life;
  }

  /** Runs something of the channel: one of its turns, or code that is called outside of them. */
  during<T>(work: () => T): T {
    this.seq = -1;
    this.consumed = nothingConsumed;
    this.#slot.write(this);
    try {
      const result = work();
      if (result instanceof Promise) this.#slot.waits(this, result);
      return result;
    } finally {
      this.#slot.rest();
    }
  }

  task(seq: number): void {
    this.seq = seq;
    this.consumed = nothingConsumed;
    this.#slot.write(this);
  }

  took(consumed: readonly Consumed[]): void {
    this.consumed = consumed;
    this.#slot.write(this);
  }
}
