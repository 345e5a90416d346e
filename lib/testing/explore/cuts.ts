import type { WorldMachine } from "./machine.ts";

/** One way in which machines don't reach each other. */
export interface Cut {
  /** On which side each machine is, by its index. */
  readonly side: readonly boolean[];
  /** What is on the true side doesn't reach the others, but they reach it. */
  readonly oneWay: boolean;
}

/** Which machines don't reach each other, in all the ways in which that is so at once. */
export class Cuts {
  readonly #all = new Set<Cut>();

  get size(): number {
    return this.#all.size;
  }

  add(cut: Cut): void {
    this.#all.add(cut);
  }

  /** False if it was over already. */
  delete(cut: Cut): boolean {
    return this.#all.delete(cut);
  }

  clear(): void {
    this.#all.clear();
  }

  separate(from: WorldMachine, to: WorldMachine): boolean {
    for (const { side, oneWay } of this.#all) {
      if (side[from.index] !== side[to.index] && (!oneWay || side[from.index] === true)) return true;
    }
    return false;
  }

  /** Names of machines, those together that no cut is between; and who isn't heard, where a cut is of one direction. */
  describe(machines: readonly WorldMachine[]): {
    readonly groups: readonly (readonly string[])[];
    readonly unheard: readonly (readonly string[])[];
  } {
    const groups = new Map<string, string[]>();
    const cuts = [...this.#all];
    for (const { index, name } of machines) {
      const place = cuts.map(({ side }) => (side[index] === true ? "1" : "0")).join("");
      groups.set(place, [...(groups.get(place) ?? []), name]);
    }
    const ordered = [...groups].sort(([one], [other]) => (one < other ? 1 : -1));
    const unheard = cuts
      .filter(({ oneWay }) => oneWay)
      .map(({ side }) => machines.filter(({ index }) => side[index] === true).map(({ name }) => name));
    return { groups: ordered.map(([, names]) => names), unheard };
  }
}
