/**
 * What a transition touched: actors, whole machines, and what several share. Two transitions that touch nothing in common give the
 * same in either order.
 */
export class Touches {
  /** Actors, by their keys. */
  readonly #cells = new Set<string>();
  /** Machines of those actors. */
  readonly #machines = new Set<number>();
  /** Machines all of whose actors are touched. */
  readonly #whole = new Set<number>();
  /** What is shared, by name: true where it was changed. */
  readonly #shared = new Map<string, boolean>();

  cell(key: string, machine: number): void {
    this.#cells.add(key);
    this.#machines.add(machine);
  }

  machine(index: number): void {
    this.#whole.add(index);
    this.#machines.add(index);
  }

  shared(name: string, changed: boolean): void {
    this.#shared.set(name, changed || this.#shared.get(name) === true);
  }

  /** Adds what others touched. */
  add(other: Touches): void {
    for (const key of other.#cells) this.#cells.add(key);
    for (const index of other.#machines) this.#machines.add(index);
    for (const index of other.#whole) this.#whole.add(index);
    for (const [name, changed] of other.#shared) this.shared(name, changed);
  }

  /** True if the order of the two may matter. */
  meets(other: Touches): boolean {
    return (
      haveCommon(this.#cells, other.#cells) ||
      haveCommon(this.#whole, other.#machines) ||
      haveCommon(this.#machines, other.#whole) ||
      this.#sharesChanges(other)
    );
  }

  #sharesChanges(other: Touches): boolean {
    for (const [name, changed] of this.#shared) {
      const otherChanged = other.#shared.get(name);
      if (otherChanged !== undefined && (changed || otherChanged)) return true;
    }
    return false;
  }
}

function haveCommon<T>(one: ReadonlySet<T>, other: ReadonlySet<T>): boolean {
  const [smaller, larger] = one.size < other.size ? [one, other] : [other, one];
  for (const each of smaller) if (larger.has(each)) return true;
  return false;
}
