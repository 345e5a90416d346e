import { invariant } from "../../lib/core/errors.ts";
import type { PlannedInput } from "../../lib/core/plan.ts";
import type { Parcel } from "./parcel.ts";

/** How much a producer may send on a link before more is granted. */
export interface Window {
  readonly objects: number;
  readonly bytes: number;
}

/** Divides what an input may hold over its links. Both ends of a link compute it, so that no first grant is sent. */
export function windowOf(
  limits: { readonly inputObjects: number; readonly inputBytes: number },
  links: number,
): Window {
  return {
    objects: Math.max(1, Math.floor(limits.inputObjects / links)),
    bytes: Math.max(1, Math.floor(limits.inputBytes / links)),
  };
}

interface Input {
  readonly planned: PlannedInput;
  readonly window: Window;
  readonly queue: Parcel[];
  head: number;
  openLinks: number;
  state: "open" | "ended" | "done";
  /** Consumed and not yet granted again, by producing channel. */
  readonly owed: Map<number, { objects: number; bytes: number }>;
  readonly lastSeq: Map<number, number>;
}

/** What a channel's next task takes from its inputs. */
export type Taken =
  | { readonly kind: "parcels"; readonly input: number; readonly parcels: readonly Parcel[] }
  | { readonly kind: "input-end"; readonly input: number }
  | { readonly kind: "done" };

/** The unread parcels of a channel: a queue for each input, drained stage by stage, bounded by the credit of their links. */
export class Inputs {
  readonly #inputs: Input[];
  readonly #grant: (input: number, from: number, objects: number, bytes: number) => void;
  #turn = 0;

  constructor(
    inputs: readonly { readonly planned: PlannedInput; readonly links: number; readonly window: Window }[],
    grant: (input: number, from: number, objects: number, bytes: number) => void,
  ) {
    this.#grant = grant;
    this.#inputs = inputs.map(({ planned, links, window }) => ({
      planned,
      window,
      queue: [],
      head: 0,
      openLinks: links,
      state: links === 0 ? "ended" : "open",
      owed: new Map(),
      lastSeq: new Map(),
    }));
  }

  enqueue(index: number, parcel: Parcel): void {
    const input = this.#input(index);
    invariant(
      parcel.previous === (input.lastSeq.get(parcel.from) ?? -1),
      `a parcel is missing on the link from channel ${parcel.from} to input "${input.planned.name}"`,
    );
    input.lastSeq.set(parcel.from, parcel.seq);
    input.queue.push(parcel);
  }

  /** The producing channel has sent its last parcel on this link. */
  end(index: number, from: number, lastSeq: number): void {
    const input = this.#input(index);
    invariant(
      lastSeq === (input.lastSeq.get(from) ?? -1),
      `the last parcel from channel ${from} to input "${input.planned.name}" never came`,
    );
    input.openLinks--;
    if (input.openLinks === 0) input.state = "ended";
  }

  /** Takes what the next task consumes: parcels of one input of the lowest stage, at most about `objectsMax` objects. */
  take(objectsMax: number, accepts: ((input: string) => boolean) | undefined): Taken | undefined {
    const stage = this.#stage();
    if (stage === undefined) return { kind: "done" };
    const count = this.#inputs.length;
    for (let step = 0; step < count; step++) {
      const index = (this.#turn + step) % count;
      const input = this.#input(index);
      if (input.planned.stage !== stage || input.state === "done") continue;
      if (input.head < input.queue.length) {
        if (accepts !== undefined && !accepts(input.planned.name)) continue;
        this.#turn = index + 1;
        return { kind: "parcels", input: index, parcels: takeParcels(input, objectsMax) };
      }
      if (input.state === "ended") {
        input.state = "done";
        return { kind: "input-end", input: index };
      }
    }
    return undefined;
  }

  /** What the task took is consumed: its links get credit again, once it is worth a message. */
  release(index: number, parcels: readonly Parcel[]): void {
    const input = this.#input(index);
    for (const parcel of parcels) {
      let owed = input.owed.get(parcel.from);
      if (owed === undefined) {
        owed = { objects: 0, bytes: 0 };
        input.owed.set(parcel.from, owed);
      }
      owed.objects += parcel.rows;
      owed.bytes += parcel.bytes;
      if (owed.objects * 2 < input.window.objects && owed.bytes * 2 < input.window.bytes) continue;
      this.#grant(index, parcel.from, owed.objects, owed.bytes);
      owed.objects = 0;
      owed.bytes = 0;
    }
  }

  /** Why nothing can be taken: names of the inputs that are waited for, and of those that hold parcels which must wait. */
  waiting(): { readonly forInputs: readonly string[]; readonly blocked: readonly string[] } {
    const stage = this.#stage();
    const open = this.#inputs.filter((input) => input.state !== "done");
    return {
      forInputs: open.filter((input) => input.planned.stage === stage).map((input) => input.planned.name),
      blocked: open.filter((input) => input.head < input.queue.length).map((input) => input.planned.name),
    };
  }

  /** Forgets everything unread. */
  clear(): void {
    for (const input of this.#inputs) {
      input.queue.length = 0;
      input.head = 0;
      input.state = "done";
    }
  }

  /** Inputs whose producers may still send. */
  open(): readonly number[] {
    return this.#inputs.flatMap((input, index) => (input.state === "open" ? [index] : []));
  }

  #stage(): number | undefined {
    let lowest: number | undefined;
    for (const input of this.#inputs) {
      if (input.state === "done") continue;
      if (lowest === undefined || input.planned.stage < lowest) lowest = input.planned.stage;
    }
    return lowest;
  }

  #input(index: number): Input {
    const input = this.#inputs[index];
    invariant(input !== undefined, `a channel has no input ${index}`);
    return input;
  }
}

function takeParcels(input: Input, objectsMax: number): Parcel[] {
  const taken: Parcel[] = [];
  let objects = 0;
  while (input.head < input.queue.length) {
    const parcel = input.queue[input.head] as Parcel;
    // Joining parcels costs a copy, which only small ones are worth.
    if (taken.length > 0 && (parcel.columnar || objects * 4 >= objectsMax || objects + parcel.rows > objectsMax)) break;
    taken.push(parcel);
    objects += parcel.rows;
    // The slot is emptied at once, so that what was consumed can be collected.
    input.queue[input.head] = undefined as unknown as Parcel;
    input.head++;
    if (parcel.columnar) break;
  }
  if (input.head > 1024 || input.head === input.queue.length) {
    input.queue.splice(0, input.head);
    input.head = 0;
  }
  return taken;
}
