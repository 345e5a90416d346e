import type { WorldMachine } from "../machine.ts";
import type { World } from "../world.ts";

const crashing = "crash of ";
const sparing = "no crash of ";

/** True for a process that is the crash of a machine, whenever that may be. */
export function isCrash(process: string): boolean {
  return process.startsWith(crashing);
}

/** True for a process that is that a machine doesn't crash though it may. */
export function isSparing(process: string): boolean {
  return process.startsWith(sparing);
}

/** Which machines may crash. */
export class MachineCrashes {
  readonly #world: World;
  readonly #named: readonly string[] | undefined;
  #left: number;
  /** Machines that don't crash any more, as nothing is left to do, unless another one does. */
  readonly #spared = new Set<WorldMachine>();

  constructor(world: World, left: number, named: readonly string[] | undefined) {
    this.#world = world;
    this.#left = left;
    this.#named = named;
  }

  get left(): number {
    return this.#left;
  }

  /** Names of the machines of which it is decided that they don't crash. */
  get spared(): readonly string[] {
    return [...this.#spared].map(({ name }) => name);
  }

  /**
   * Adds crashes to what could be done next. Where nothing else could, it is decided for one machine after the other whether it crashes: an
   * execution may end without a crash.
   */
  addTo(heads: Map<string, object>): void {
    const machines = this.able();
    const [first] = machines;
    if (heads.size > 0) for (const each of machines) heads.set(`${crashing}${each.name}`, each.node);
    else if (first !== undefined) {
      heads.set(`${crashing}${first.name}`, first.node);
      heads.set(`${sparing}${first.name} with ${this.#left} left`, first);
    }
  }

  able(): readonly WorldMachine[] {
    if (this.#left === 0) return [];
    return this.#world.machines.filter(
      (each) => each.isUp && !this.#spared.has(each) && this.#named?.includes(each.name) !== false,
    );
  }

  /**
   * Does what a process says.
   *
   * @param able - machines that may crash
   * @returns the machine that crashes
   */
  decide(process: string, able: readonly WorldMachine[]): WorldMachine | undefined {
    const [first] = able;
    if (isSparing(process)) {
      if (first !== undefined) this.#spared.add(first);
      return undefined;
    }
    this.#left--;
    this.#spared.clear();
    return able.find(({ name }) => process === `${crashing}${name}`);
  }
}
