import { keyedRandom, type Random } from "../../core/seam/random.ts";
import { drawMs, type FaultPlan, type PlannedFault } from "./faults.ts";
import type { WorldMachine } from "./machine.ts";
import type { Kept, TimedMedium } from "./timed-medium.ts";
import type { World } from "./world.ts";

type CrashFault = Extract<PlannedFault, { kind: "crash" }>;

// For how long a crash waits for a step of its machine, as a share of the time in which faults strike.
const armedShare = 0.1;
// Of all partitions, how many cut one machine off, and not halves.
const aloneShare = 0.4;

/** Has the faults of a plan strike, and heals all at last. */
export class FaultStriker {
  readonly #world: World;
  readonly #medium: TimedMedium;
  readonly #plan: FaultPlan;
  readonly #restarted: (machine: WorldMachine) => void;
  readonly #random: Random;
  /** Crashes that strike behind a machine's next step, by the machine's index. */
  readonly #armed = new Map<number, CrashFault>();
  /** Machines that are down and will be started again. */
  readonly #down = new Set<WorldMachine>();

  constructor(world: World, medium: TimedMedium, plan: FaultPlan, restarted: (machine: WorldMachine) => void) {
    this.#world = world;
    this.#medium = medium;
    this.#plan = plan;
    this.#restarted = restarted;
    this.#random = keyedRandom(world.seed, 7);
  }

  /** Ids of the faults of the plan. */
  get ids(): readonly string[] {
    const { faults, skew } = this.#plan;
    return [...faults.map(({ id }) => id), ...(skew === undefined ? [] : ["skew"])];
  }

  begin(kept: Kept): void {
    for (const fault of this.#plan.faults) {
      if (kept.faults !== undefined && !kept.faults.has(fault.id)) continue;
      this.#medium.after(undefined, fault.atMs, () => this.#strike(fault));
    }
    const { skew } = this.#plan;
    if (skew === undefined || (kept.faults !== undefined && !kept.faults.has("skew"))) return;
    this.#medium.strike("skew");
    for (const machine of this.#world.machines) {
      machine.rate = 1 + skew.rate * (2 * this.#random() - 1);
      machine.offsetMs = skew.offsetMs * (2 * this.#random() - 1);
    }
  }

  /** A machine has taken a step. True if a fault strikes it right behind. */
  stepped(machine: WorldMachine): boolean {
    if (this.#armed.size === 0) return false;
    const fault = this.#armed.get(machine.index);
    if (fault === undefined) return false;
    this.#armed.delete(machine.index);
    this.#crash(machine, fault);
    return true;
  }

  /** No fault strikes from now on, machines reach each other, and those that are to start again do. */
  heal(): void {
    const world = this.#world;
    if (world.isHealed) return;
    world.isHealed = true;
    this.#armed.clear();
    this.#medium.cuts.clear();
    this.#fault("heal", "", "all is healed");
    for (const machine of world.machines) if (machine.pausedUntil > 0) this.#resume(machine);
    for (const machine of this.#down) this.#restart(machine);
  }

  #strike(fault: PlannedFault): void {
    if (this.#world.isHealed) return;
    switch (fault.kind) {
      case "partition":
        this.#partition(fault);
        return;
      case "pause":
        this.#pause(fault);
        return;
      case "crash": {
        const machine = this.#world.machines[fault.machine];
        if (machine?.isUp !== true) return;
        if (fault.isAfterStep) this.#arm(machine, fault);
        else this.#crash(machine, fault);
      }
    }
  }

  /** A crash right behind a step is the one that shows most; a machine that has nothing to do crashes a little later. */
  #arm(machine: WorldMachine, fault: CrashFault): void {
    this.#armed.set(machine.index, fault);
    this.#medium.after(undefined, this.#plan.withinMs * armedShare, () => {
      if (this.#armed.get(machine.index) !== fault) return;
      this.#armed.delete(machine.index);
      this.#crash(machine, fault);
    });
  }

  #partition({ id, forMs, oneWay, draw }: Extract<PlannedFault, { kind: "partition" }>): void {
    const { machines } = this.#world;
    if (machines.length < 2) return;
    const isAlone = draw() < aloneShare;
    const one = Math.floor(draw() * machines.length);
    const other = (one + 1 + Math.floor(draw() * (machines.length - 1))) % machines.length;
    // Neither side is empty: one machine is here, another there.
    const side = machines.map(({ index }) => index === one || (!isAlone && index !== other && draw() < 0.5));
    const { cuts } = this.#medium;
    const cut = { side, oneWay };
    cuts.add(cut);
    this.#medium.strike(id);
    this.#parted(cuts.size === 1 && oneWay ? "the first side isn't heard" : this.#unheard());
    this.#medium.after(undefined, forMs, () => {
      if (this.#world.isHealed) return;
      cuts.delete(cut);
      if (cuts.size === 0) this.#fault("heal", "", "");
      else this.#parted(["one cut is over", this.#unheard()].filter((text) => text !== "").join("; "));
    });
  }

  /** Who reaches whom is another now, and there are cuts. */
  #parted(text: string): void {
    const { groups } = this.#medium.cuts.describe(this.#world.machines);
    this.#fault("partition", "", text, groups);
  }

  #unheard(): string {
    const { unheard } = this.#medium.cuts.describe(this.#world.machines);
    return unheard.map((names) => `not heard by others: ${names.join(" ")}`).join("; ");
  }

  #pause({ id, machine: index, forMs }: Extract<PlannedFault, { kind: "pause" }>): void {
    const machine = this.#world.machines[index];
    if (machine?.isUp !== true || machine.pausedUntil > 0) return;
    const until = this.#world.nowMs + forMs;
    machine.pausedUntil = until;
    this.#medium.strike(id);
    this.#fault("note", machine.name, `stands still for ${Math.round(forMs)} ms`);
    this.#medium.after(undefined, forMs, () => {
      // It may have crashed, come again, and stand still once more since.
      if (machine.pausedUntil === until) this.#resume(machine);
    });
  }

  #resume(machine: WorldMachine): void {
    machine.pausedUntil = 0;
    for (const cell of machine.waiting.splice(0)) this.#medium.ready.push(cell);
    this.#world.resumptions.push(...machine.held.splice(0));
  }

  #crash(machine: WorldMachine, { id, kept, losesDisk, downMs }: CrashFault): void {
    const world = this.#world;
    if (!machine.isUp || world.isHealed) return;
    const { life } = machine.node;
    const { unflushed } = machine.disk;
    const keptWrites = kept < 0.5 ? 0 : Math.floor((kept - 0.5) * 2 * (unflushed + 1));
    const gone = unflushed - keptWrites;
    const lost = losesDisk ? "its disk is lost" : gone > 0 ? `${gone} writes are lost` : "";
    this.#medium.strike(id);
    this.#fault("crash", machine.name, lost);
    world.crash(machine, { keptWrites, losesDisk });
    this.#medium.after(undefined, drawMs(this.#plan.detectAfterMs, this.#random), () => world.detected(life));
    if (downMs === undefined) return;
    this.#down.add(machine);
    this.#medium.after(undefined, downMs, () => {
      if (this.#down.has(machine)) this.#restart(machine);
    });
  }

  #restart(machine: WorldMachine): void {
    this.#down.delete(machine);
    this.#fault("restart", machine.name, "");
    this.#world.restart(machine);
    this.#restarted(machine);
  }

  #fault(
    kind: "partition" | "heal" | "crash" | "restart" | "note",
    line: string,
    text: string,
    groups?: readonly (readonly string[])[],
  ): void {
    const world = this.#world;
    world.step++;
    world.recorder?.fault({ kind, line, text, ...(groups === undefined ? {} : { groups }) }, world.step, world.nowMs);
  }
}
