import { loadBatches, loadedBatches, type Representation, representationOf } from "../../lib/core/batch/index.ts";
import type { Context } from "../../lib/core/contracts/context.ts";
import type { Many, Operator, Outputs, Task } from "../../lib/core/contracts/operator.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import { type JoinPlan, type JoinSide, keyNames } from "./options.ts";

/** A join of objects, or of columnar batches: what `JoinOperator` drives. */
export interface JoinCore {
  /** Takes objects of one side, and gives what can be given now. */
  add: (side: JoinSide, objects: readonly unknown[], ctx: Context) => Many<unknown>;
  /** Both sides have ended: gives the rest. */
  done: (ctx: Context) => Many<unknown>;
  snapshot: () => unknown;
  restore: (state: never) => void;
  /** From now on what changes is noted. */
  watch?: () => void;
  /** What has changed since `watch`, or since this was last called. */
  changes?: () => unknown;
  apply?: (changes: never) => void;
}

/** Makes the two forms of a join. */
export interface JoinCores {
  readonly objects: () => JoinCore;
  readonly frames: (output: () => Representation) => JoinCore;
}

/** The state of a join: what it joins, once that is known, and the state of that. */
export interface JoinState {
  readonly columnar: boolean | undefined;
  readonly left: Representation | undefined;
  readonly right: Representation | undefined;
  readonly core: unknown;
}

export type JoinInputs = { left: unknown; right: unknown };

/** Joins objects or columnar batches, whichever the first task brings; both sides must be the same of the two. */
export class JoinOperator implements Operator<JoinInputs, unknown, JoinState> {
  readonly #plan: JoinPlan;
  readonly #cores: JoinCores;
  #core: JoinCore | undefined;
  /** The state was saved, so that it may be asked for what has changed. */
  #watched = false;
  #columnar: boolean | undefined;
  readonly #representations: { left: Representation | undefined; right: Representation | undefined } = {
    left: undefined,
    right: undefined,
  };

  constructor(plan: JoinPlan, cores: JoinCores) {
    this.#plan = plan;
    this.#cores = cores;
  }

  execute = ({ input, objects }: Task<JoinInputs>, ctx: Context): Outputs<unknown> => {
    if (objects.length === 0) return undefined;
    return this.#coreFor(input, representationOf(objects[0])).add(input, objects, ctx);
  };

  done = (ctx: Context): Outputs<unknown> => {
    const core = this.#core;
    if (core === undefined) return undefined;
    if (this.#columnar === true && loadedBatches() === undefined) return loadBatches().then(() => core.done(ctx));
    return core.done(ctx);
  };

  snapshot = (): JoinState => {
    this.#watched = true;
    this.#core?.watch?.();
    return this.#state(this.#core?.snapshot());
  };

  changes = (): JoinState | undefined => {
    if (!this.#watched) return undefined;
    if (this.#core === undefined) return this.#state(undefined);
    const changes = this.#core.changes?.();
    return changes === undefined ? undefined : this.#state(changes);
  };

  restore = (state: JoinState): void => {
    this.#representations.left = state.left;
    this.#representations.right = state.right;
    if (state.columnar === undefined) return;
    this.#start(state.columnar).restore(state.core as never);
  };

  apply = (changes: JoinState): void => {
    this.#representations.left = changes.left;
    this.#representations.right = changes.right;
    if (changes.columnar === undefined) return;
    const core = this.#core ?? this.#start(changes.columnar);
    core.apply?.(changes.core as never);
  };

  #state(core: unknown): JoinState {
    return { columnar: this.#columnar, ...this.#representations, core };
  }

  #coreFor(input: JoinSide, representation: Representation | undefined): JoinCore {
    const columnar = representation !== undefined;
    if (columnar) this.#representations[input] ??= representation;
    if (this.#core !== undefined && columnar === this.#columnar) return this.#core;
    if (this.#core !== undefined) {
      throw new QStreamError(
        "MIXED_REPRESENTATION",
        `${this.#plan.what}: one side has objects and one has columnar batches`,
        {
          input,
          advice: "Convert one of the two streams first.",
        },
      );
    }
    if (columnar) this.#checkColumnar();
    return this.#start(columnar);
  }

  #start(columnar: boolean): JoinCore {
    this.#columnar = columnar;
    this.#core = columnar ? this.#cores.frames(this.#outputRepresentation) : this.#cores.objects();
    if (this.#watched) this.#core.watch?.();
    return this.#core;
  }

  /** Results look like the left side; where that has had no batch yet, like the right. */
  readonly #outputRepresentation = (): Representation =>
    this.#representations.left ?? this.#representations.right ?? "polars";

  #checkColumnar(): void {
    const { what, left, right, combine } = this.#plan;
    const needsObjects = combine !== undefined ? "combine" : keyNames(left) === undefined ? "left" : "right";
    if (combine === undefined && keyNames(left) !== undefined && keyNames(right) !== undefined) return;
    throw new QStreamError("OPTION_INVALID", `${what}: the option ${needsObjects} is a function, which takes objects`, {
      advice:
        "For Arrow tables and Polars frames give keys as column names and leave out combine, or convert to objects.",
    });
  }
}
