import type { Random } from "../../../../lib/core/seam/random.ts";
import type { DistantNode } from "../../../../actors/system/distant/distant-node.ts";
import type { JoinedNodes } from "./joined-nodes.ts";

const orderMs = 12;

/**
 * Loses nodes, and has others take over, as a scheduler does: all are told of a loss, each when the order reaches it, and have said so
 * before anybody is told who takes over. A node may be lost before it begins.
 */
export class LosingNodes {
  readonly #nodes: JoinedNodes;
  readonly #random: Random;
  /** Who has each host, or is going to. */
  readonly #placement: number[];
  readonly #lost = new Set<number>();
  /** Losses that all have been told of, or are being told. */
  readonly #over = new Set<number>();
  readonly #born = new Map<number, number>();
  readonly #moved = new Set<number>();
  /** When a node last heard that a host was lost. */
  readonly #heardMs = new Map<string, number>();
  /** When the last order reaches a node. */
  readonly #lastMs = new Map<number, number>();
  readonly #awaited = new Set<number>();
  #round = 0;
  #next: number;

  constructor(nodes: JoinedNodes, hosts: number, random: Random) {
    this.#nodes = nodes;
    this.#random = random;
    this.#placement = Array.from({ length: hosts }, (_, life) => life);
    this.#next = hosts + 1;
  }

  /** Lives that take part, though some may not have begun. */
  get living(): number[] {
    return [this.#nodes.clientLife, ...this.#placement.filter((life) => !this.#lost.has(life))];
  }

  get all(): number[] {
    return Array.from({ length: this.#next }, (_, life) => life);
  }

  /** True while somebody has to be told of a loss, or of who takes over. */
  get isRecovering(): boolean {
    const now = this.#nodes.clock.monotonic();
    return (
      this.#placement.some((life) => this.#lost.has(life)) || [...this.#lastMs.values()].some((last) => last > now)
    );
  }

  isLost(life: number): boolean {
    return this.#lost.has(life);
  }

  bornMs(life: number): number {
    return this.#born.get(life) ?? 0;
  }

  /** The life that has a host, and whether it isn't the first one. */
  host(channel: number): { readonly life: number; readonly hasMoved: boolean } {
    return { life: this.#placement[channel] ?? -1, hasMoved: this.#moved.has(channel) };
  }

  heardOfLossMs(life: number, channel: number): number {
    return this.#heardMs.get(`${life} ${channel}`) ?? -1;
  }

  /** Loses a host, unless it is the last one that there is. */
  lose(): void {
    const hosts = this.#placement.filter((life) => !this.#lost.has(life));
    const life = hosts[Math.floor(this.#random() * hosts.length)];
    if (life === undefined || hosts.length < 2) return;
    if (this.#nodes.lives.includes(life)) this.#nodes.drop(life);
    this.#lost.add(life);
    const channel = this.#placement.indexOf(life);
    this.#moved.add(channel);
    this.#nodes.clock.after(this.#delay(), () => this.#survey(life, channel));
  }

  #survey(lost: number, channel: number): void {
    this.#over.add(lost);
    const round = ++this.#round;
    this.#awaited.clear();
    for (const life of this.living) this.#awaited.add(life);
    for (const life of this.living) {
      this.#order(life, (distant) => {
        this.#heardMs.set(`${life} ${channel}`, this.#nodes.clock.monotonic());
        distant.lost([lost]);
        this.#nodes.clock.after(this.#delay(), () => this.#surveyed(round, life));
      });
    }
  }

  #surveyed(round: number, life: number): void {
    if (round !== this.#round) return;
    this.#awaited.delete(life);
    if (this.#awaited.size === 0) this.#recover();
  }

  #recover(): void {
    const added = new Set<number>();
    this.#placement.forEach((life, channel) => {
      if (!this.#over.has(life)) return;
      const next = this.#next++;
      this.#placement[channel] = next;
      this.#born.set(next, this.#nodes.clock.monotonic());
      added.add(next);
    });
    const hosts = this.#placement.map((life) => ({ life, slot: `slot-${life}` }));
    for (const life of this.living) {
      if (added.has(life)) this.#when(life, () => this.#begin(life, hosts));
      else {
        this.#order(life, (distant) =>
          hosts.forEach(({ life: at, slot }, channel) => distant.placed(channel, at, slot)),
        );
      }
    }
  }

  #begin(life: number, hosts: Parameters<JoinedNodes["replace"]>[1]): void {
    if (this.#lost.has(life)) return;
    this.#nodes.replace(life, hosts);
  }

  #order(life: number, work: (distant: DistantNode) => void): void {
    this.#when(life, () => {
      if (!this.#lost.has(life)) work(this.#nodes.at(life).distant);
    });
  }

  /** Orders reach a node in their order. */
  #when(life: number, work: () => void): void {
    const { clock } = this.#nodes;
    const now = clock.monotonic();
    const last = Math.max(this.#lastMs.get(life) ?? 0, now + this.#delay());
    this.#lastMs.set(life, last);
    clock.after(last - now, work);
  }

  #delay(): number {
    return Math.floor(this.#random() * orderMs);
  }
}
