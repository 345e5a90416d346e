import { QStreamError } from "../../../lib/core/errors.ts";

/** Why something that came was refused. */
export type RefusalReason =
  /** A WebSocket's frames are wrong, or text came. */
  | "protocol"
  | "too-large"
  /** What a message begins with, or its form, is wrong. */
  | "message"
  /** The frame of a link's message. */
  | "frame"
  /** What a machine tells can't be read, or isn't what machines tell. */
  | "tell"
  /** What a machine tells or sends to a slot can be read, and broke what took it: nobody knows how much of it was done. */
  | "taking"
  /** A number that doesn't follow. */
  | "number"
  | "acknowledgement"
  /** A machine says who it is in a wrong way, or is of another version. */
  | "hello"
  /** A machine that was given up. */
  | "given-up"
  /** A machine whose last connections brought nothing but nonsense has to wait. */
  | "too-soon";

/** Something that came isn't what a machine of this version sends. */
export class Refusal extends QStreamError {
  readonly reason: RefusalReason;

  constructor(reason: RefusalReason, what: string, cause?: unknown) {
    super("FRAME_INVALID", `a message between machines is invalid: ${what}`, {
      advice: "Another program, or another version of QStream, sent it.",
      ...(cause === undefined ? {} : { cause }),
    });
    this.reason = reason;
  }
}

/** Lets somebody take what came: where that goes wrong, it is whoever sent it that is broken with, and not this process. */
export function taking<T>(take: () => T): T {
  try {
    return take();
  } catch (error) {
    throw error instanceof Refusal ? error : new Refusal("taking", `it can't be taken: ${String(error)}`, error);
  }
}

/** How often something was refused, and why. */
export class Refusals {
  readonly #counts = new Map<RefusalReason, number>();

  count(reason: RefusalReason): void {
    this.#counts.set(reason, this.of(reason) + 1);
  }

  of(reason: RefusalReason): number {
    return this.#counts.get(reason) ?? 0;
  }

  get total(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** But for those who weren't let in. */
  get messages(): number {
    return this.total - this.of("hello") - this.of("given-up") - this.of("too-soon");
  }

  get all(): Readonly<Partial<Record<RefusalReason, number>>> {
    return Object.fromEntries(this.#counts);
  }
}
