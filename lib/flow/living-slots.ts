import type { SlotHandle } from "../../actors/scheduler/execution-request.ts";

/** Slots of a session that aren't lost: the same list as long as nothing has changed, since it is asked for often. */
export class LivingSlots {
  readonly #all: () => readonly SlotHandle[];
  readonly #lost: ReadonlyMap<string, unknown>;
  #known:
    | { readonly of: readonly SlotHandle[]; readonly state: string; readonly living: readonly SlotHandle[] }
    | undefined;

  constructor(all: () => readonly SlotHandle[], lost: ReadonlyMap<string, unknown>) {
    this.#all = all;
    this.#lost = lost;
  }

  list(): readonly SlotHandle[] {
    const of = this.#all();
    // Lists grow in place, too.
    const state = `${of.length} ${this.#lost.size}`;
    if (this.#known?.of !== of || this.#known.state !== state) {
      this.#known = { of, state, living: of.filter(({ id }) => !this.#lost.has(id)) };
    }
    return this.#known.living;
  }
}
