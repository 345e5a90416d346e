import { windowOf, type Window } from "../../../actors/channel/inputs.ts";
import { creditOf } from "../../../actors/channel/parcel.ts";
import type { LinkMessage } from "../../core/contracts/transport.ts";
import type { Limits } from "../../core/limits.ts";
import type { Plan } from "../../core/plan.ts";

/** A link between two lives, as the messages on it tell. */
interface Credit {
  readonly window: Window;
  /** What may still be sent, counting what is granted from the moment at which it is said. */
  objects: number;
  bytes: number;
  /** Both ends are the first lives of their channels, so that the link was open from the start. */
  readonly first: boolean;
  /** It was opened once more while parcels were on their way: the ends may count differently for a while. */
  reopened: boolean;
}

/**
 * How much may be on its way on the links between slots, and wait at their ends. A consumer grants a window, and later what
 * its tasks have taken of it: never more than a window is open. One that repeats its log grants another window where all of
 * one has come. A producer sends nothing without credit; the parcel that uses it up may be larger than what was left.
 */
export class LinkCredits {
  readonly #windows: readonly Window[];
  readonly #isFirst: (producer: number, consumer: number) => boolean;
  /** By edge and lives. */
  readonly #credits = new Map<number, Credit>();

  /** @param isFirst - true for the first lives of two channels */
  constructor(plan: Plan, limits: Limits, isFirst: (producer: number, consumer: number) => boolean) {
    this.#windows = plan.edges.map(({ from }) => windowOf(limits, plan.steps[from]?.channels ?? 1));
    this.#isFirst = isFirst;
  }

  /** A message leaves its slot. Returns what is wrong with that, if anything is. */
  sent(message: LinkMessage): string | undefined {
    const credit = this.#of(message);
    switch (message.kind) {
      case "open":
        if (credit.objects !== -Infinity) credit.reopened = true;
        credit.objects = message.objects;
        credit.bytes = message.bytes;
        return refuseWider(credit);
      case "credit":
        credit.objects += message.objects;
        credit.bytes += message.bytes;
        return refuseWider(credit);
      case "parcel": {
        const { objects, bytes } = credit;
        const { format, rows } = message.payload;
        credit.objects -= creditOf({ columnar: format === "batch", rows });
        credit.bytes -= message.payload.bytes.byteLength;
        // What was on its way when the link was lost is sent as soon as there is another one.
        if (!credit.first || (objects > 0 && bytes > 0)) return undefined;
        return `it was sent without credit: ${objects} objects and ${bytes} bytes were left`;
      }
      default:
        return undefined;
    }
  }

  /** True if nothing can be sent on a link between first lives before its consumer grants more. */
  usedUp(edge: number, producer: number, consumer: number): boolean {
    const credit = this.#credits.get(keyOf(edge, producer, consumer));
    return credit?.first === true && !credit.reopened && (credit.objects <= 0 || credit.bytes <= 0);
  }

  #of({ edge, producer, consumer }: LinkMessage): Credit {
    const key = keyOf(edge, producer, consumer);
    let credit = this.#credits.get(key);
    if (credit === undefined) {
      const window = this.#windows[edge] ?? { objects: Infinity, bytes: Infinity };
      const first = this.#isFirst(producer, consumer);
      const open = first ? window : { objects: -Infinity, bytes: -Infinity };
      credit = { window, objects: open.objects, bytes: open.bytes, first, reopened: false };
      this.#credits.set(key, credit);
    }
    return credit;
  }
}

// Lives of one execution, of which a simulated one has a few hundred at most.
const livesMax = 1 << 16;

function keyOf(edge: number, producer: number, consumer: number): number {
  return (edge * livesMax + producer) * livesMax + consumer;
}

/** A window is used up once its objects or its bytes are: another one then leaves more than a window of the other. */
function refuseWider({ window, objects, bytes, reopened }: Credit): string | undefined {
  if (reopened || objects <= window.objects || bytes <= window.bytes) return undefined;
  return `${objects} objects and ${bytes} bytes may be sent, where a window has ${window.objects} and ${window.bytes}`;
}
