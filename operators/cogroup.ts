import { representationOf } from "../lib/core/batch/index.ts";
import type { Context } from "../lib/core/contracts/context.ts";
import type {
  Deal,
  Declares,
  Incremental,
  Operator,
  OperatorDefinition,
  Outputs,
  Stateful,
  Task,
} from "../lib/core/contracts/operator.ts";
import type { Key } from "../lib/core/contracts/partition.ts";
import { QStreamError } from "../lib/core/errors.ts";
import { keyFunction, mapKey, type MapKey } from "../lib/core/key.ts";
import type { KeyOf } from "../lib/core/key-columns.ts";
import { checkOptionNames, namesOf } from "../lib/core/option-names.ts";
import { sampledBytes, shareOf } from "./held-bytes.ts";

/** Options of `cogroup`. */
export interface CogroupOptions<L, R, Out> {
  readonly left: KeyOf<L>;
  readonly right: KeyOf<R>;
  /** Called once for each key that either side has, with all objects of that key; a list is empty where a side has none. */
  readonly combine: (key: Key, lefts: readonly L[], rights: readonly R[]) => Out;
  /**
   * The lists are in order of arrival, so the result counts as order-sensitive; say `confluent` if `combine` doesn't mind
   * their order.
   */
  readonly declares?: Declares;
  /** Estimated bytes that one channel may keep; more is LIMIT_EXCEEDED. Default: the execution's `stateBytes`. */
  readonly stateBytesMax?: number;
}

type Inputs<L, R> = { left: L; right: R };

export interface CogroupGroup<L, R> {
  readonly key: Key;
  readonly left: L[];
  readonly right: R[];
}

/** The state of a cogroup: the groups so far. */
export interface CogroupState<L, R> {
  readonly groups: readonly CogroupGroup<L, R>[];
  readonly bytes: number;
}

/** Objects of one side that came one after the other. */
interface Arrived {
  readonly side: "left" | "right";
  readonly objects: readonly unknown[];
}

/** What came since a cogroup was last saved, in its order. */
export interface CogroupChanges {
  readonly arrived: readonly Arrived[];
  readonly bytes: number;
}

/** The names of its options. */
export const cogroupOptionNames: readonly string[] = namesOf<CogroupOptions<object, object, unknown>>({
  left: true,
  right: true,
  combine: true,
  declares: true,
  stateBytesMax: true,
});

/**
 * Groups two streams by key, and combines the groups of equal keys once both streams have ended. Inputs are `left` and
 * `right`, both partitioned by their keys. Objects without key (null or undefined) are a group of their own.
 *
 * @param options - keys of both sides, and `combine`
 * @returns the operator
 * @throws QStreamError while it runs LIMIT_EXCEEDED beyond `stateBytesMax`, UNSUPPORTED for columnar batches
 * @example
 * cogroup<{ tree: string; size: number }, { tree: string; kg: number }, { tree: Key; leaves: number; acorns: number }>({
 *   left: "tree",
 *   right: "tree",
 *   combine: (tree, leaves, acorns) => ({ tree, leaves: leaves.length, acorns: acorns.length }),
 * });
 */
export function cogroup<L, R, Out>(
  options: CogroupOptions<L, R, Out>,
): OperatorDefinition<Inputs<L, R>, Out, CogroupState<L, R>> {
  checkOptionNames("cogroup()", options, cogroupOptionNames);
  const described = (selector: unknown): unknown => (typeof selector === "function" ? "function" : selector);
  return {
    kind: "cogroup",
    options: {
      left: described(options.left),
      right: described(options.right),
      combine: "function",
      stateBytesMax: options.stateBytesMax,
    },
    declares: options.declares ?? "order-sensitive",
    parallelism: "per-slot",
    representations: ["objects"],
    create: () => new Cogroup(options),
    deal: dealGroups,
    keys: { left: options.left, right: options.right },
  };
}

function dealGroups<L, R>(states: readonly CogroupState<L, R>[], { takes }: Deal): CogroupState<L, R> {
  const objectsIn = (groups: readonly CogroupGroup<L, R>[]): number =>
    groups.reduce((sum, { left, right }) => sum + left.length + right.length, 0);
  const groups: CogroupGroup<L, R>[] = [];
  let bytes = 0;
  for (const state of states) {
    const taken = state.groups.filter(({ key }) => takes(key));
    for (const group of taken) groups.push(group);
    bytes += shareOf(state.bytes, objectsIn(taken), objectsIn(state.groups));
  }
  return { groups, bytes };
}

class Cogroup<L, R, Out>
  implements Operator<Inputs<L, R>, Out, CogroupState<L, R>>, Stateful<CogroupState<L, R>>, Incremental<CogroupChanges>
{
  readonly #options: CogroupOptions<L, R, Out>;
  readonly #leftKey: (object: L) => Key;
  readonly #rightKey: (object: R) => Key;
  readonly #groups = new Map<MapKey, CogroupGroup<L, R>>();
  #bytes = 0;
  /** Undefined while the state was never saved. */
  #arrived: Arrived[] | undefined;

  constructor(options: CogroupOptions<L, R, Out>) {
    this.#options = options;
    this.#leftKey = keyFunction(options.left);
    this.#rightKey = keyFunction(options.right);
  }

  execute({ input, objects }: Task<Inputs<L, R>>, ctx: Context): Outputs<Out> {
    if (representationOf(objects[0]) !== undefined) {
      throw new QStreamError("UNSUPPORTED", "cogroup takes objects, not columnar batches", {
        input,
        advice: "Convert the stream to objects first, or use hashJoin.",
      });
    }
    this.#hold(sampledBytes(objects), ctx);
    this.#take(input, objects);
    return undefined;
  }

  *done(): Generator<Out, void> {
    for (const { key, left, right } of this.#groups.values()) yield this.#options.combine(key, left, right);
  }

  snapshot(): CogroupState<L, R> {
    const groups = [...this.#groups.values()].map(({ key, left, right }) => ({
      key,
      left: left.slice(),
      right: right.slice(),
    }));
    this.#arrived = [];
    return { groups, bytes: this.#bytes };
  }

  restore(state: CogroupState<L, R>): void {
    for (const { key, left, right } of state.groups) {
      this.#groups.set(mapKey(key), { key, left: left.slice(), right: right.slice() });
    }
    this.#bytes = state.bytes;
  }

  changes(): CogroupChanges | undefined {
    const arrived = this.#arrived;
    if (arrived === undefined) return undefined;
    this.#arrived = [];
    return { arrived, bytes: this.#bytes };
  }

  apply({ arrived, bytes }: CogroupChanges): void {
    for (const { side, objects } of arrived) this.#take(side, objects);
    this.#bytes = bytes;
  }

  #take(side: "left" | "right", objects: readonly unknown[]): void {
    if (side === "left") {
      for (const object of objects as readonly L[]) this.#groupOf(this.#leftKey(object)).left.push(object);
    } else {
      for (const object of objects as readonly R[]) this.#groupOf(this.#rightKey(object)).right.push(object);
    }
    this.#arrived?.push({ side, objects });
  }

  #groupOf(given: Key): CogroupGroup<L, R> {
    const key = given ?? null;
    const place = mapKey(key);
    let group = this.#groups.get(place);
    if (group === undefined) {
      group = { key, left: [], right: [] };
      this.#groups.set(place, group);
    }
    return group;
  }

  #hold(bytes: number, ctx: Context): void {
    this.#bytes += bytes;
    const max = this.#options.stateBytesMax ?? ctx.memoryBytes;
    if (this.#bytes <= max) return;
    throw new QStreamError("LIMIT_EXCEEDED", `cogroup: a channel would keep more than ${max} bytes of objects`, {
      step: ctx.step,
      channel: ctx.channel,
      advice: "Use more channels, or raise the limit: the step's stateBytesMax, or the execution's limits.stateBytes.",
    });
  }
}
