import type { Consumed } from "../../lib/core/contracts/lineage.ts";
import { invariant } from "../../lib/core/errors.ts";
import type { PlannedInput } from "../../lib/core/plan.ts";
import { FeedbackQueue, type CapturedParcels } from "./feedback-queue.ts";
import { creditOf, type Parcel } from "./parcel.ts";
import { removeExactly, takeParcels } from "./take-parcels.ts";

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

/** The consumer's end of a link. */
interface IncomingLink {
  /** Seq of the last parcel that came, or -1. */
  received: number;
  /** Seq of the last parcel that a task took, or -1. */
  consumed: number;
  ended: boolean;
  /** What came and wasn't granted again. */
  heldObjects: number;
  heldBytes: number;
  /** What was granted beyond the window, and is to be taken back. */
  extraObjects: number;
  extraBytes: number;
  /** The part of what is held that tasks are done with. */
  owedObjects: number;
  owedBytes: number;
}

interface Input {
  readonly planned: PlannedInput;
  readonly window: Window;
  readonly queue: Parcel[];
  head: number;
  readonly producers: number;
  openLinks: number;
  state: "open" | "ended" | "done";
  readonly links: Map<number, IncomingLink>;
  /** Its producers only pause, so that their end isn't the end of the input. */
  readonly pauses: boolean;
  /** For what a loop feeds back, which is taken apart from the other inputs. */
  readonly feedback: FeedbackQueue | undefined;
}

/** What a channel's next task takes from its inputs. */
export type Taken =
  | { readonly kind: "parcels"; readonly input: number; readonly parcels: readonly Parcel[] }
  | { readonly kind: "input-end"; readonly input: number }
  | { readonly kind: "done" };

/** What a consumer tells a producer that goes on with a link: what came so far, and the credit that is left of the window. */
export interface Opening {
  readonly after: number;
  readonly objects: number;
  readonly bytes: number;
}

export type TakenParcels = Extract<Taken, { kind: "parcels" }>;

/** How far a channel's inputs are consumed: the part of a checkpoint that says what comes next. */
export interface InputPosition {
  /** True once the end of the input was taken. */
  readonly done: boolean;
  /** Seq of the last consumed parcel, by producing channel; what isn't there is -1. */
  readonly consumed: readonly (readonly [from: number, seq: number])[];
  /** What was on its way to a loop without rounds, and belongs to its state. */
  readonly waiting?: readonly Parcel[];
}

/** The unread parcels of a channel: a queue for each input, drained stage by stage, bounded by the credit of their links. */
export class Inputs {
  readonly #inputs: Input[];
  readonly #grant: (input: number, from: number, objects: number, bytes: number) => void;
  #turn = 0;

  /** @param pausing - inputs whose producers only pause: their ends aren't taken */
  constructor(
    inputs: readonly { readonly planned: PlannedInput; readonly links: number; readonly window: Window }[],
    grant: (input: number, from: number, objects: number, bytes: number) => void,
    pausing: readonly number[] = [],
  ) {
    this.#grant = grant;
    this.#inputs = inputs.map(({ planned, links, window }, index) => ({
      planned,
      window,
      queue: [],
      head: 0,
      producers: links,
      openLinks: links,
      state: links === 0 ? "ended" : "open",
      links: new Map(),
      pauses: pausing.includes(index),
      feedback: planned.feedback === undefined ? undefined : new FeedbackQueue(links, planned.feedback === "rounds"),
    }));
  }

  /** True if all that is going to come was taken: inputs are at their ends, or their producers have paused. */
  get drained(): boolean {
    return this.#inputs.every(
      ({ state, pauses, head, queue }) => state === "done" || (pauses && state === "ended" && head === queue.length),
    );
  }

  /** True once the ends of all inputs were taken. */
  get ended(): boolean {
    return this.#inputs.every(({ state, feedback }) => feedback !== undefined || state === "done");
  }

  /** Takes a parcel that came. False for one that came before: after a failure a producer may send some again. */
  enqueue(index: number, parcel: Parcel): boolean {
    const input = this.#input(index);
    const link = linkOf(input, parcel.from);
    if (parcel.seq <= link.received) return false;
    invariant(
      parcel.previous === link.received,
      `a parcel is missing on the link from channel ${parcel.from} to input "${input.planned.name}"`,
    );
    link.received = parcel.seq;
    link.heldObjects += creditOf(parcel);
    link.heldBytes += parcel.bytes;
    if (input.feedback === undefined || input.feedback.admit(parcel)) input.queue.push(parcel);
    return true;
  }

  /** Notes that a parcel came which nobody wants any more. */
  pass(index: number, parcel: Parcel): void {
    const link = linkOf(this.#input(index), parcel.from);
    link.received = Math.max(link.received, parcel.seq);
  }

  /** The producing channel has sent its last parcel on this link. */
  end(index: number, from: number, lastSeq: number): void {
    const input = this.#input(index);
    const link = linkOf(input, from);
    if (link.ended) return;
    invariant(
      lastSeq === link.received,
      `the last parcel from channel ${from} to input "${input.planned.name}" never came`,
    );
    link.ended = true;
    input.openLinks--;
    if (input.openLinks === 0 && input.state === "open") input.state = "ended";
  }

  /** Takes what the next task consumes: parcels of one input of the lowest stage, at most about `objectsMax` objects. */
  take(objectsMax: number, accepts: ((input: string) => boolean) | undefined): Taken | undefined {
    const stage = this.#stage();
    if (stage === undefined) return { kind: "done" };
    const count = this.#inputs.length;
    for (let step = 0; step < count; step++) {
      const index = (this.#turn + step) % count;
      const input = this.#input(index);
      if (input.planned.stage !== stage || input.state === "done" || input.feedback !== undefined) continue;
      if (input.head < input.queue.length) {
        if (accepts !== undefined && !accepts(input.planned.name)) continue;
        this.#turn = index + 1;
        return { kind: "parcels", input: index, parcels: noteConsumed(input, takeParcels(input, objectsMax)) };
      }
      if (input.state === "ended" && !input.pauses) {
        input.state = "done";
        return { kind: "input-end", input: index };
      }
    }
    return undefined;
  }

  /** Takes parcels that a loop has fed back, once inputs of lower stages have ended. In a loop without rounds, a mark is a task's last. */
  takeFeedback(objectsMax: number): TakenParcels | undefined {
    const index = this.#inputs.findIndex(({ feedback }) => feedback !== undefined);
    const input = this.#input(index);
    if (input.head === input.queue.length || (this.#stage() ?? Infinity) < input.planned.stage) return undefined;
    const parcels = takeParcels(input, objectsMax, input.planned.feedback === "asynchronous");
    return { kind: "parcels", input: index, parcels: noteConsumed(input, parcels) };
  }

  /** All that was fed back in a round was taken: what had come early for the next one can be. */
  nextRound(): void {
    const input = this.#inputs.find(({ feedback }) => feedback !== undefined);
    for (const parcel of input?.feedback?.nextRound() ?? []) input?.queue.push(parcel);
  }

  /**
   * The state is taken now: tells what is on its way then, once all marks have come that were sent with it; undefined if it is too much.
   *
   * @param marked - channels of whose marks that was taken already
   */
  capture(marked: readonly number[], captured: (parcels: CapturedParcels | undefined) => void): void {
    const input = this.#inputs.find(({ feedback }) => feedback !== undefined);
    if (input === undefined) return;
    const taken = new Map(marked.map((from) => [from, linkOf(input, from).consumed]));
    input.feedback?.capture(input.queue.slice(input.head), taken, captured);
  }

  /** Channels of a loop that have ended, and of which all that they have fed back was taken. */
  endedFeedback(): number[] {
    const input = this.#inputs.find(({ feedback }) => feedback !== undefined);
    // Asked for behind nearly each task of a loop, where hardly ever one has ended.
    if (input === undefined || input.openLinks === input.producers) return [];
    return [...input.links].flatMap(([from, { ended, consumed, received }]) =>
      ended && consumed === received ? from : [],
    );
  }

  /** Takes exactly what a logged task consumed, in its order; undefined while some of it hasn't come. */
  takeLogged(name: string, consumed: readonly Consumed[]): TakenParcels | undefined {
    const index = this.#indexOf(name);
    const input = this.#input(index);
    const parcels = removeExactly(input, consumed);
    return parcels === undefined ? undefined : { kind: "parcels", input: index, parcels: noteConsumed(input, parcels) };
  }

  /** Takes the end of an input that a logged task has taken: all that came before it was consumed by then. */
  endLogged(name: string): Extract<Taken, { kind: "input-end" }> {
    const index = this.#indexOf(name);
    this.#input(index).state = "done";
    return { kind: "input-end", input: index };
  }

  /** What the task took is consumed: its links get credit again, once it is worth a message. */
  release(index: number, parcels: readonly Parcel[]): void {
    const input = this.#input(index);
    for (const parcel of parcels) {
      const link = linkOf(input, parcel.from);
      link.owedObjects += creditOf(parcel);
      link.owedBytes += parcel.bytes;
      takeBackExtra(link);
      if (link.owedObjects * 2 < input.window.objects && link.owedBytes * 2 < input.window.bytes) continue;
      this.#grant(index, parcel.from, link.owedObjects, link.owedBytes);
      settle(link);
    }
  }

  /**
   * Grants more on links whose producers have used up their credit. A channel that repeats its log takes parcels in the order
   * of that, not in the order in which they come: a producer that it held back could be the one that it waits for.
   */
  widen(): void {
    for (const [index, input] of this.#inputs.entries()) {
      if (input.state === "done") continue;
      for (const [from, link] of input.links) {
        if (link.ended || !isUsedUp(link, input.window)) continue;
        link.extraObjects += input.window.objects;
        link.extraBytes += input.window.bytes;
        this.#grant(index, from, input.window.objects, input.window.bytes);
      }
    }
  }

  /** What to ask of a link's new producer. */
  opening(index: number, from: number): Opening {
    const input = this.#input(index);
    const link = linkOf(input, from);
    settle(link);
    // What an earlier producer was granted beyond the window may still be here.
    link.extraObjects = Math.max(0, link.heldObjects - input.window.objects);
    link.extraBytes = Math.max(0, link.heldBytes - input.window.bytes);
    return {
      after: link.received,
      objects: Math.max(0, input.window.objects - link.heldObjects),
      bytes: Math.max(0, input.window.bytes - link.heldBytes),
    };
  }

  /** Seq of the last parcel that came on a link, or -1. */
  received(index: number, from: number): number {
    return this.#input(index).links.get(from)?.received ?? -1;
  }

  /** How far the inputs are consumed, in the plan's order. */
  positions(): InputPosition[] {
    return this.#inputs.map((input) => ({
      done: input.state === "done",
      consumed: [...input.links]
        .filter(([, { consumed }]) => consumed >= 0)
        .map(([from, link]) => [from, link.consumed]),
    }));
  }

  /** Starts from positions that a checkpoint holds: nothing is here, and producers are asked for what comes after. */
  restore(positions: readonly InputPosition[]): void {
    for (const [index, { done, consumed, waiting = [] }] of positions.entries()) {
      const input = this.#input(index);
      if (done) input.state = "done";
      for (const [from, seq] of consumed) {
        const link = linkOf(input, from);
        link.consumed = seq;
        link.received = seq;
      }
      for (const parcel of waiting) this.enqueue(index, { ...parcel, previous: linkOf(input, parcel.from).received });
    }
  }

  /** Why nothing can be taken: names of the inputs that are waited for, and of those that hold parcels which must wait. */
  waiting(): { readonly forInputs: readonly string[]; readonly blocked: readonly string[] } {
    const stage = this.#stage();
    const open = this.#inputs.filter((input) => input.state !== "done");
    return {
      forInputs: open
        .filter(({ planned, feedback }) => planned.stage === stage || (stage === undefined && feedback !== undefined))
        .map((input) => input.planned.name),
      blocked: open.filter((input) => input.head < input.queue.length).map((input) => input.planned.name),
    };
  }

  /** Forgets everything unread. */
  clear(): void {
    for (const input of this.#inputs) {
      input.queue.length = 0;
      input.head = 0;
      input.state = "done";
      input.feedback?.clear();
    }
  }

  /** Inputs whose producers may still send. */
  open(): readonly number[] {
    return this.#inputs.flatMap((input, index) => (input.state === "open" ? [index] : []));
  }

  #stage(): number | undefined {
    let lowest: number | undefined;
    for (const input of this.#inputs) {
      if (input.state === "done" || input.feedback !== undefined) continue;
      if (lowest === undefined || input.planned.stage < lowest) lowest = input.planned.stage;
    }
    return lowest;
  }

  #indexOf(name: string): number {
    return this.#inputs.findIndex((input) => input.planned.name === name);
  }

  #input(index: number): Input {
    const input = this.#inputs[index];
    invariant(input !== undefined, `a channel has no input ${index}`);
    return input;
  }
}

function linkOf(input: Input, from: number): IncomingLink {
  let link = input.links.get(from);
  if (link === undefined) {
    link = {
      received: -1,
      consumed: -1,
      ended: false,
      heldObjects: 0,
      heldBytes: 0,
      extraObjects: 0,
      extraBytes: 0,
      owedObjects: 0,
      owedBytes: 0,
    };
    input.links.set(from, link);
  }
  return link;
}

function isUsedUp({ heldObjects, heldBytes, extraObjects, extraBytes }: IncomingLink, window: Window): boolean {
  return heldObjects >= window.objects + extraObjects || heldBytes >= window.bytes + extraBytes;
}

/** What was granted beyond the window isn't granted again. */
function takeBackExtra(link: IncomingLink): void {
  const objects = Math.min(link.extraObjects, link.owedObjects);
  const bytes = Math.min(link.extraBytes, link.owedBytes);
  link.extraObjects -= objects;
  link.extraBytes -= bytes;
  link.owedObjects -= objects;
  link.owedBytes -= bytes;
  link.heldObjects -= objects;
  link.heldBytes -= bytes;
}

/** What is owed is granted with the next message. */
function settle(link: IncomingLink): void {
  link.heldObjects -= link.owedObjects;
  link.heldBytes -= link.owedBytes;
  link.owedObjects = 0;
  link.owedBytes = 0;
}

function noteConsumed(input: Input, parcels: readonly Parcel[]): readonly Parcel[] {
  for (const parcel of parcels) linkOf(input, parcel.from).consumed = parcel.seq;
  return parcels;
}
