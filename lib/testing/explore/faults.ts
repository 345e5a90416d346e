import { keyedRandom, type Random } from "../../core/seam/random.ts";

/** A number of milliseconds, or the least and the most between which one is drawn. */
export type MsRange = number | readonly [least: number, most: number];

/** What goes wrong in a simulated world. Each seed draws which kinds of it strike, when and where. */
export interface ExplorationFaults {
  /** Virtual milliseconds in which faults strike; then all is healed. Default 1,000. */
  readonly withinMs?: number;
  /** How long a message between two machines takes. Default 1 to 10 ms. */
  readonly delayMs?: MsRange;
  /** Share of messages between machines that get lost. Default 0. */
  readonly loss?: number;
  /** Share of messages between machines that come twice. Default 0. */
  readonly duplicate?: number;
  /** Messages from one machine to another overtake each other. Default false. */
  readonly reorder?: boolean;
  /** Machines can't reach each other for a while: what is sent across gets lost. */
  readonly partitions?: {
    /** At most. Default 1. */
    readonly most?: number;
    /** Default 50 to 500 ms. */
    readonly forMs?: MsRange;
    /** Some cut off one direction only. Default false. */
    readonly oneWay?: boolean;
  };
  /** Machines end without a word, and lose what isn't flushed to their disks. */
  readonly crashes?: {
    /** At most. Default 1. */
    readonly most?: number;
    /** How long a machine stays down. Default: for good. */
    readonly restartAfterMs?: MsRange;
    /** Share of crashes that lose the whole disk. Default 0. */
    readonly lostDisks?: number;
    /** Names of machines that crash. Default: all. */
    readonly machines?: readonly string[];
  };
  /** Machines stand still, as in a collection of garbage: what is due is done afterwards. */
  readonly pauses?: { readonly most?: number; readonly forMs?: MsRange; readonly machines?: readonly string[] };
  /** How much faster or slower clocks of machines run, as a share: 0.1 is up to 10 %. And how far they are apart, in milliseconds. */
  readonly clockSkew?: number | { readonly rate?: number; readonly offsetMs?: number };
  /** After how long a crash is known to those who watch actors of the machine, or wait for their answers. Default 20 to 100 ms. */
  readonly detectAfterMs?: MsRange;
}

/** A fault that a seed has decided on. */
export type PlannedFault = { readonly id: string; readonly atMs: number } & (
  | { readonly kind: "partition"; readonly forMs: number; readonly oneWay: boolean; readonly draw: Random }
  | {
      readonly kind: "crash";
      /** Strikes behind the machine's first step from then on, not at that time. */
      readonly isAfterStep: boolean;
      readonly machine: number;
      readonly downMs: number | undefined;
      readonly losesDisk: boolean;
      /** In [0, 1): how much of what wasn't flushed is lost nevertheless. */
      readonly kept: number;
    }
  | { readonly kind: "pause"; readonly machine: number; readonly forMs: number }
);

/** What goes wrong in the run of one seed. */
export interface FaultPlan {
  readonly withinMs: number;
  readonly delayMs: readonly [number, number];
  /** Exponent of the draw of a delay: above 1, most are short. */
  readonly delayShape: number;
  readonly loss: number;
  readonly duplicate: number;
  readonly reorder: boolean;
  readonly detectAfterMs: readonly [number, number];
  readonly faults: readonly PlannedFault[];
  readonly skew: { readonly rate: number; readonly offsetMs: number } | undefined;
}

const withinDefault = 1000;
// Of all seeds, how many leave a kind of faults out: what one kind does is seen best where others don't disturb.
const leftOut = 0.25;

/** Draws what goes wrong in a seed's run. */
export function planFaults(options: ExplorationFaults, seed: number, machineNames: readonly string[]): FaultPlan {
  const random = keyedRandom(seed, 1);
  // Drawn in one order whatever is asked for, so that the same kinds are left out.
  const takes = Array.from({ length: 7 }, () => random() >= leftOut);
  const shape = [1, 2, 4][Math.floor(random() * 3)] ?? 1;
  const { withinMs = withinDefault, partitions, crashes, pauses, clockSkew } = options;
  const isAny = [options.loss, options.duplicate, partitions, crashes, pauses].some(
    (each) => each !== undefined && each !== 0,
  );
  const planned: Unnumbered[] = [];
  if (partitions !== undefined && takes[0] === true) drawPartitions(planned, partitions, withinMs, random);
  if (crashes !== undefined && takes[1] === true) drawCrashes(planned, crashes, withinMs, machineNames, random);
  if (pauses !== undefined && takes[2] === true) drawPauses(planned, pauses, withinMs, machineNames, random);
  planned.sort((one, other) => one.atMs - other.atMs);
  const skew = typeof clockSkew === "number" ? { rate: clockSkew, offsetMs: 0 } : clockSkew;
  return {
    withinMs: isAny ? withinMs : 0,
    delayMs: rangeOf(options.delayMs, [1, 10]),
    delayShape: shape,
    loss: takes[3] === true ? (options.loss ?? 0) : 0,
    duplicate: takes[4] === true ? (options.duplicate ?? 0) : 0,
    reorder: options.reorder === true && takes[5] === true,
    detectAfterMs: rangeOf(options.detectAfterMs, [20, 100]),
    faults: planned.map((fault, index) => ({ ...fault, id: String(index + 1) }) as PlannedFault),
    skew: skew === undefined || takes[6] !== true ? undefined : { rate: skew.rate ?? 0, offsetMs: skew.offsetMs ?? 0 },
  };
}

type WithoutId<T> = T extends unknown ? Omit<T, "id"> : never;
type Unnumbered = WithoutId<PlannedFault>;

function drawPartitions(
  planned: Unnumbered[],
  { most = 1, forMs, oneWay = false }: NonNullable<ExplorationFaults["partitions"]>,
  withinMs: number,
  random: Random,
): void {
  drawUpTo(most, planned, random, () => ({
    kind: "partition",
    atMs: random() * withinMs,
    forMs: drawMs(rangeOf(forMs, [50, 500]), random),
    oneWay: oneWay && random() < 0.5,
    draw: keyedRandom(Math.floor(random() * 2 ** 32)),
  }));
}

function drawCrashes(
  planned: Unnumbered[],
  { most = 1, restartAfterMs, lostDisks = 0, machines }: NonNullable<ExplorationFaults["crashes"]>,
  withinMs: number,
  names: readonly string[],
  random: Random,
): void {
  drawUpTo(most, planned, random, () => ({
    kind: "crash",
    atMs: random() * withinMs,
    isAfterStep: random() < 0.5,
    machine: drawMachine(names, machines, random),
    downMs: drawDown(restartAfterMs, random),
    losesDisk: random() < lostDisks,
    kept: random(),
  }));
}

function drawDown(restartAfterMs: MsRange | undefined, random: Random): number | undefined {
  const drawn = random();
  return restartAfterMs === undefined ? undefined : drawMs(rangeOf(restartAfterMs, [0, 0]), () => drawn);
}

function drawPauses(
  planned: Unnumbered[],
  { most = 1, forMs, machines }: NonNullable<ExplorationFaults["pauses"]>,
  withinMs: number,
  names: readonly string[],
  random: Random,
): void {
  drawUpTo(most, planned, random, () => ({
    kind: "pause",
    atMs: random() * withinMs,
    machine: drawMachine(names, machines, random),
    forMs: drawMs(rangeOf(forMs, [50, 500]), random),
  }));
}

/** Draws 1 to the most: none at all is what seeds have that leave the kind out. */
function drawUpTo(most: number, planned: Unnumbered[], random: Random, draw: () => Unnumbered): void {
  const count = Math.min(most, 1 + Math.floor(random() * most));
  for (let index = 0; index < count; index++) planned.push(draw());
}

function drawMachine(names: readonly string[], among: readonly string[] | undefined, random: Random): number {
  const candidates = among?.map((name) => names.indexOf(name)).filter((index) => index >= 0);
  const drawn = random();
  if (candidates === undefined || candidates.length === 0) return Math.floor(drawn * Math.max(1, names.length));
  return candidates[Math.floor(drawn * candidates.length)] ?? 0;
}

function rangeOf(range: MsRange | undefined, otherwise: readonly [number, number]): readonly [number, number] {
  if (range === undefined) return otherwise;
  return typeof range === "number" ? [range, range] : range;
}

export function drawMs([least, most]: readonly [number, number], random: Random): number {
  return least + (most - least) * random();
}
