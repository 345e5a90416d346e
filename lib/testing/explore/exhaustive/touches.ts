/**
 * What a transition touched: actors, whole machines, and what several share; and what it may have changed of what is looked at from
 * outside of actors. Two transitions that touch nothing in common give the same in either order, and look the same in between.
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
  /** What may look another way now, by name. */
  readonly #changes = new Set<string>();
  /** What was looked at, by checks or by code of the exploration. */
  readonly #looks = new Set<string>();
  #isAll = false;

  cell(key: string, machine: number, kind: string): void {
    this.#cells.add(key);
    this.#machines.add(machine);
    this.#changes.add(`actor ${key}`);
    this.#changes.add(`kind ${kind}`);
  }

  machine(index: number): void {
    this.#whole.add(index);
    this.#machines.add(index);
    this.#changes.add(`machine ${index}`);
  }

  shared(name: string, isChanged: boolean): void {
    this.#shared.set(name, isChanged || this.#shared.get(name) === true);
    if (isChanged) this.#changes.add(name);
  }

  /** Something that only who looks from outside can tell. */
  changed(name: string): void {
    this.#changes.add(name);
  }

  lookedAt(names: Iterable<string>): void {
    for (const name of names) this.#looks.add(name);
  }

  /** Its order matters to all others. */
  everything(): void {
    this.#isAll = true;
  }

  /** True if something of what is looked at may look another way. */
  changesAnyOf(looks: ReadonlySet<string>): boolean {
    return haveCommon(this.#changes, looks);
  }

  /** Adds what others touched. */
  add(other: Touches): void {
    for (const key of other.#cells) this.#cells.add(key);
    for (const index of other.#machines) this.#machines.add(index);
    for (const index of other.#whole) this.#whole.add(index);
    for (const [name, isChanged] of other.#shared) this.shared(name, isChanged);
    for (const name of other.#changes) this.#changes.add(name);
    for (const name of other.#looks) this.#looks.add(name);
    if (other.#isAll) this.#isAll = true;
  }

  /** True if the order of the two may matter. */
  meets(other: Touches): boolean {
    return (
      this.#isAll ||
      other.#isAll ||
      haveCommon(this.#cells, other.#cells) ||
      haveCommon(this.#whole, other.#machines) ||
      haveCommon(this.#machines, other.#whole) ||
      haveCommon(this.#changes, other.#looks) ||
      haveCommon(this.#looks, other.#changes) ||
      this.#sharesChanges(other)
    );
  }

  #sharesChanges(other: Touches): boolean {
    for (const [name, isChanged] of this.#shared) {
      const isOtherChanged = other.#shared.get(name);
      if (isOtherChanged !== undefined && (isChanged || isOtherChanged)) return true;
    }
    return false;
  }
}

function haveCommon<T>(one: ReadonlySet<T>, other: ReadonlySet<T>): boolean {
  const [smaller, larger] = one.size < other.size ? [one, other] : [other, one];
  for (const each of smaller) if (larger.has(each)) return true;
  return false;
}
