import { loadBatches, loadedBatches, representationOf } from "../../lib/core/batch/index.ts";
import type { Operator, OperatorDefinition } from "../../lib/core/contracts/operator.ts";
import type { PartitionFunction } from "../../lib/core/contracts/partition.ts";
import { dealStates, multiset, testContext } from "../../lib/testing/index.ts";
import type { DrivenTask } from "./drive.ts";

// oxlint-disable-next-line typescript/no-explicit-any -- tasks name inputs as text
type AnyOperator = Operator<any, unknown>;
// oxlint-disable-next-line typescript/no-explicit-any -- see above
export type AnyDefinition = OperatorDefinition<any, unknown>;

/** How a step's objects reach its channels, by input; `in` unless another is named. */
// oxlint-disable-next-line typescript/no-explicit-any -- of any objects
export type Partitions = Readonly<Record<string, PartitionFunction<any>>>;

/** The channels of a step: tasks are routed to them by the step's partition functions, as the engine does. */
export class Channels {
  readonly #definition: AnyDefinition;
  readonly #partitions: Partitions;
  readonly #operators: readonly AnyOperator[];
  /** What channels saved after their first task: what has changed since comes on top. */
  readonly #bases = new Map<number, unknown>();
  readonly given: unknown[] = [];

  constructor(definition: AnyDefinition, partitions: Partitions, states: readonly unknown[]) {
    this.#definition = definition;
    this.#partitions = partitions;
    this.#operators = states.map((state) => {
      const operator: AnyOperator = definition.create();
      if (state !== undefined) operator.restore?.(structuredClone(state));
      return operator;
    });
  }

  static fresh(definition: AnyDefinition, partitions: Partitions, channels: number): Channels {
    return new Channels(definition, partitions, new Array<unknown>(channels).fill(undefined));
  }

  async take(tasks: readonly DrivenTask[]): Promise<void> {
    for (const { input, objects } of tasks) {
      const targets = this.#routed(input, objects);
      for (const [channel, part] of targets.entries()) {
        if (part.length === 0) continue;
        // oxlint-disable-next-line no-await-in-loop -- tasks come one after the other
        await this.#add(this.#operators[channel]?.execute({ input, objects: part }, testContext()));
        if (!this.#bases.has(channel))
          this.#bases.set(channel, structuredClone(this.#operators[channel]?.snapshot?.()));
      }
    }
  }

  /** Saves all channels as they are now: what changes afterwards comes on top. */
  save(): void {
    for (const [channel, operator] of this.#operators.entries())
      this.#bases.set(channel, structuredClone(operator.snapshot?.()));
  }

  /** Saves all channels, and gives others in their place, with what these have given so far. */
  async dealtTo(channels: number): Promise<Channels> {
    const states = this.#operators.map((operator, channel) => this.#wholeState(operator, channel));
    const dealt = await dealStates(this.#definition, structuredClone(states), channels);
    const next = new Channels(this.#definition, this.#partitions, dealt);
    next.given.push(...this.given);
    return next;
  }

  /** As after a loss: of a restored operator that took over changes, and nothing since. */
  #wholeState(operator: AnyOperator, channel: number): unknown {
    const base = this.#bases.get(channel);
    const changes: unknown = base === undefined ? undefined : operator.changes?.();
    if (changes === undefined) return operator.snapshot?.();
    const restored: AnyOperator = this.#definition.create();
    restored.restore?.(base);
    restored.apply?.(structuredClone(changes));
    return restored.snapshot?.();
  }

  async done(): Promise<unknown[]> {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    for (const operator of this.#operators) await this.#add(operator.done?.(testContext()));
    return this.given;
  }

  async #add(outputs: unknown): Promise<void> {
    const given = await outputs;
    for await (const object of (given ?? []) as AsyncIterable<unknown>) this.given.push(object);
  }

  #routed(input: string, objects: readonly unknown[]): readonly (readonly unknown[])[] {
    const channels = this.#operators.length;
    const router = (this.#partitions[input] as PartitionFunction<unknown>).router({ from: 0, producers: 1, channels });
    const targets = Array.from({ length: channels }, (): unknown[] => []);
    const task = { seq: 0, random: () => 0 };
    const only = (decided: number): unknown[][] =>
      targets.map((_, channel) => (channel === decided ? [...objects] : []));
    if (representationOf(objects[0]) === undefined) {
      const decided = router.objects(objects, targets, task);
      return typeof decided === "number" ? only(decided) : targets;
    }
    const support = loadedBatches();
    if (support === undefined) throw new Error("batches aren't loaded");
    const [batch] = objects;
    const channelOfRow = new Uint16Array(support.rows(batch));
    const decided = router.batch(support.view(batch), channelOfRow, task);
    if (typeof decided === "number") return only(decided);
    return support.gather(batch, channelOfRow, channels).map((part) => (part === undefined ? [] : [part]));
  }
}

/**
 * What a step gives in the end, as a multiset: batches as their rows. Missing columns count as null, and a right column that
 * stands alone as one of its own name: a channel that saw no batch of the left side doesn't know that the names clash.
 */
export async function rowsGiven(given: readonly unknown[]): Promise<unknown[]> {
  const support = await loadBatches();
  const plain = given.flatMap((object) =>
    representationOf(object) === undefined ? [object] : support.toObjects(object),
  );
  return multiset(plain.map(withoutMissing));
}

function withoutMissing(object: unknown): unknown {
  if (typeof object !== "object" || object === null || Array.isArray(object)) return object;
  const there = new Map(Object.entries(object).filter(([, value]) => value !== null && value !== undefined));
  const named = [...there].map(([name, value]) => {
    const alone = name.replace(/_2$/, "");
    return [there.has(alone) ? name : alone, value] as const;
  });
  return Object.fromEntries(named.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
