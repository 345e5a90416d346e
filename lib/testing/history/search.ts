import { QStreamError } from "../../core/errors.ts";
import type { RecordedCall } from "./events.ts";
import {
  clientFrontier,
  freeFrontier,
  realTimeFrontier,
  type Frontier,
  type FrontierOf,
  type Next,
} from "./frontier.ts";
import { unknownResult, type MaybeResult, type Model } from "./model.ts";
import { isReadOf, statesAfter } from "./asked-model.ts";
import { operationText, valueText } from "./value-text.ts";

/** A call in an order, and the state after it. */
export interface PlacedCall<State, Operation, Result> {
  readonly call: RecordedCall<Operation, Result>;
  readonly state: State;
}

/** Which calls come before which: those that ended before others began, the earlier ones of each client, or none. */
export type CallOrder = "real time" | "client" | "any";

const frontiers: Readonly<Record<CallOrder, FrontierOf>> = {
  "real time": realTimeFrontier,
  client: clientFrontier,
  any: freeFrontier,
};

/** What came of looking for an order. */
export interface SearchOutcome<State, Operation, Result> {
  /** Whether there is one; undefined if that wasn't known when the limit was met. */
  readonly found: boolean | undefined;
  readonly steps: number;
  /** The order, or the longest that was found. */
  readonly order: readonly PlacedCall<State, Operation, Result>[];
  /** The last event that no order got beyond, by index, where calls have ends that bound them. */
  readonly blockedAt: number;
}

/** Calls whose ends nobody knows and that do the same: which of them it was makes no difference, so the earliest is taken. */
type UnknownGroup<Operation, Result> = readonly RecordedCall<Operation, Result>[];

/** A call that was put into the order: by index, or of which group of unknown ones. */
type Move = { readonly state: number } & ({ readonly ok: number } | { readonly group: number });

interface Frame {
  readonly moves: Iterator<Move, void>;
  readonly next: Next;
  /** How many calls of each group of unknown ones are in the order. */
  readonly taken: readonly number[];
  /** The move that led here; undefined for the first frame. */
  readonly by: Move | undefined;
}

/**
 * Looks for an order of all calls that were ok, and as many as it needs of those whose end is unknown, in which a model gives
 * every result: a depth-first search after Wing and Gong, with Lowe's memory of configurations.
 *
 * @param stepsMax - how many steps of the model it takes before it gives up
 */
export function searchOrder<State, Operation, Result>(
  calls: readonly RecordedCall<Operation, Result>[],
  model: Model<State, Operation, Result>,
  order: CallOrder,
  stepsMax: number,
): SearchOutcome<State, Operation, Result> {
  return new Search(calls, model, order, stepsMax).run();
}

class Search<State, Operation, Result> {
  readonly #ok: readonly RecordedCall<Operation, Result>[];
  readonly #groups: readonly UnknownGroup<Operation, Result>[];
  readonly #model: Model<State, Operation, Result>;
  readonly #frontier: Frontier;
  readonly #stepsMax: number;
  readonly #isRead: readonly boolean[];
  readonly #states: State[] = [];
  readonly #stateIds = new Map<string, number>();
  /** Of each configuration, how many of each group were taken: with those and more, no more can be found. */
  readonly #noted = new Map<string, (readonly number[])[]>();
  readonly #frames: Frame[] = [];
  #steps = 0;
  #placed = 0;
  #best: { readonly placed: number; readonly moves: readonly Move[] } = { placed: -1, moves: [] };
  #blockedAt = -1;

  constructor(
    calls: readonly RecordedCall<Operation, Result>[],
    model: Model<State, Operation, Result>,
    order: CallOrder,
    stepsMax: number,
  ) {
    this.#ok = calls.filter(({ outcome }) => outcome === "ok");
    this.#groups = groupsOf(
      // A read whose result nobody knows tells nothing and changes nothing.
      calls.filter(({ outcome, operation }) => outcome === "unknown" && !isReadOf(model, operation, unknownResult)),
      order,
    );
    this.#model = model;
    this.#frontier = frontiers[order](this.#ok);
    this.#stepsMax = stepsMax;
    this.#isRead = this.#ok.map(({ operation, result }) => isReadOf(model, operation, result));
  }

  run(): SearchOutcome<State, Operation, Result> {
    this.#enter(this.#idOf(this.#model.init), undefined);
    while (this.#placed < this.#ok.length) {
      const frame = this.#frames.at(-1);
      if (frame === undefined) return this.#outcome(false, this.#best.moves);
      if (this.#steps >= this.#stepsMax) {
        this.#noteBest();
        return this.#outcome(undefined, this.#best.moves);
      }
      const move = frame.moves.next();
      if (move.done !== true) {
        this.#place(move.value, 1);
        if (!this.#enter(move.value.state, move.value)) this.#place(move.value, -1);
        continue;
      }
      this.#noteBest();
      this.#noteBlocked(frame.next);
      this.#frames.pop();
      if (frame.by !== undefined) this.#place(frame.by, -1);
    }
    return this.#outcome(true, this.#moves());
  }

  /** Goes on from the configuration that is reached. @returns false if it was tried */
  #enter(state: number, by: Move | undefined): boolean {
    const next = this.#frontier.next();
    const before = this.#frames.at(-1)?.taken ?? this.#groups.map(() => 0);
    const ofUnknown = by !== undefined && "group" in by;
    const taken = ofUnknown ? oneMore(before, by.group) : before;
    // What an unknown call leads to was found new before the move was made.
    if (!ofUnknown && !this.#isNew(state, next, taken)) return false;
    this.#frames.push({ moves: this.#movesFrom(state, next, taken), next, taken, by });
    return true;
  }

  /** Notes a configuration that will be tried. @returns false if that is in vain, as one from which no less can be found was noted */
  #isNew(state: number, { calls }: Next, taken: readonly number[]): boolean {
    const key = `${state}:${calls.join()}`;
    const noted = this.#noted.get(key);
    if (noted === undefined) this.#noted.set(key, [taken]);
    else if (noted.some((earlier) => earlier.every((count, group) => count <= (taken[group] ?? 0)))) return false;
    else noted.push(taken);
    return true;
  }

  #place(move: Move, by: 1 | -1): void {
    if ("group" in move) return;
    this.#placed += by;
    if (by === 1) this.#frontier.take(move.ok);
    else this.#frontier.untake(move.ok);
  }

  /** What may come next. Where a read may, nothing is lost by taking it at once, and nothing else has to be tried. */
  *#movesFrom(state: number, next: Next, taken: readonly number[]): Generator<Move, void> {
    for (const ok of next.calls) {
      if (this.#isRead[ok] !== true) continue;
      if (this.#stepRead(state, ok)) {
        yield { ok, state };
        return;
      }
    }
    for (const ok of next.calls) {
      if (this.#isRead[ok] === true) continue;
      const call = this.#ok[ok] as RecordedCall<Operation, Result>;
      for (const after of this.#step(state, call.operation, call.result)) yield { ok, state: after };
    }
    // Last, as they need not be in the order at all. All are noted before any is tried, so that none is tried after another
    // one that it could do without.
    const fresh: Move[] = [];
    for (const [group, calls] of this.#groups.entries()) {
      const call = calls[taken[group] ?? 0];
      if (call === undefined || !next.allows(call)) continue;
      for (const after of this.#step(state, call.operation, unknownResult)) {
        if (after !== state && this.#isNew(after, next, oneMore(taken, group))) fresh.push({ group, state: after });
      }
    }
    yield* fresh;
  }

  #stepRead(state: number, ok: number): boolean {
    const { operation, result } = this.#ok[ok] as RecordedCall<Operation, Result>;
    const after = this.#step(state, operation, result);
    if (after.some((each) => each !== state)) {
      throw new QStreamError(
        "HISTORY_INVALID",
        `isRead of a model says that ${operationText(operation)} changes nothing`,
        {
          advice: `It changes ${valueText(this.#states[state])}: correct isRead, or leave it out`,
        },
      );
    }
    return after.length > 0;
  }

  #step(state: number, operation: Operation, result: MaybeResult<Result>): readonly number[] {
    this.#steps += 1;
    return statesAfter(this.#model, this.#states[state] as State, operation, result).map((after) => this.#idOf(after));
  }

  #idOf(state: State): number {
    const text = this.#model.key === undefined ? valueText(state) : this.#model.key(state);
    const known = this.#stateIds.get(text);
    if (known !== undefined) return known;
    this.#states.push(state);
    this.#stateIds.set(text, this.#states.length - 1);
    return this.#states.length - 1;
  }

  #moves(): readonly Move[] {
    return this.#frames.flatMap(({ by }) => (by === undefined ? [] : [by]));
  }

  #noteBest(): void {
    if (this.#placed > this.#best.placed) this.#best = { placed: this.#placed, moves: this.#moves() };
  }

  #noteBlocked({ calls }: Next): void {
    const first = Math.min(...calls.map((call) => this.#ok[call]?.endedAt ?? Infinity));
    if (first > this.#blockedAt && first < Infinity) this.#blockedAt = first;
  }

  #outcome(found: boolean | undefined, moves: readonly Move[]): SearchOutcome<State, Operation, Result> {
    const taken = this.#groups.map(() => 0);
    const order = moves.map((move) => {
      const state = this.#states[move.state] as State;
      if ("ok" in move) return { call: this.#ok[move.ok] as RecordedCall<Operation, Result>, state };
      const at = taken[move.group] ?? 0;
      taken[move.group] = at + 1;
      return { call: this.#groups[move.group]?.[at] as RecordedCall<Operation, Result>, state };
    });
    return { found, steps: this.#steps, order, blockedAt: this.#blockedAt };
  }
}

function oneMore(counts: readonly number[], at: number): readonly number[] {
  return counts.map((count, index) => (index === at ? count + 1 : count));
}

function groupsOf<Operation, Result>(
  calls: readonly RecordedCall<Operation, Result>[],
  order: CallOrder,
): UnknownGroup<Operation, Result>[] {
  const groups = new Map<string, RecordedCall<Operation, Result>[]>();
  for (const call of calls) {
    // Where clients have orders of their own, calls of two aren't the same.
    const key = valueText([order === "client" ? call.client : "", call.operation]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [call]);
    else group.push(call);
  }
  return [...groups.values()];
}
