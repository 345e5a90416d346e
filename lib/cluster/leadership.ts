import type { Coordination } from "../core/contracts/coordination.ts";
import { QStreamError } from "../core/errors.ts";
import { delay, type Clock } from "../core/seam/clock.ts";
import { systemHeadWorld, type HeadWorld } from "./head-world.ts";

export interface LeadershipParts {
  /** Default: that of a process. */
  readonly world?: HeadWorld | undefined;
  /** `redis://...` */
  readonly store: string;
  /** A name that no other head, and no other life of this one, has. */
  readonly head: string;
  /** Where others find this head. */
  readonly url: () => string;
  /** Milliseconds for which a leader that isn't heard of is waited for. */
  readonly leaseMs: number;
  /** Machines that are there: leading, their leases are renewed, too. */
  readonly machines: () => readonly string[];
  /** This head leads from now on, after the one that listened there, where it knows that. What it throws makes it try again. */
  readonly leads: (epoch: number, state: Coordination, former: string) => Promise<void>;
  /** It doesn't lead any more, or couldn't begin to: what it ran is somebody else's; or, where Redis lost it, nobody's. */
  readonly deposed: (lost?: QStreamError) => Promise<void>;
  /** Something went wrong that somebody should look at, though the cluster goes on. */
  readonly trouble?: ((error: QStreamError) => void) | undefined;
}

/** How many times a lease is renewed before it would end. */
const renewalsPerLease = 4;

/**
 * Which of the heads of a cluster leads: the one that holds a lease in Redis. Whoever takes it over has a higher epoch, and all
 * that the one before still writes is refused; so a head that was stopped for long finds out before it can do harm, not after.
 * A head that can't reach Redis goes on: as long as nobody else leads, what it began is its own.
 */
export class Leadership {
  readonly #parts: LeadershipParts;
  readonly #closed = new AbortController();
  readonly #clock: Clock;
  #state: Coordination;
  #leader = "";
  #awaySince = -Infinity;
  #awayTold = false;
  #epoch: number | undefined;
  /** The latest epoch that this head knows of, its own and others'. */
  #latest = 0;
  #finished: Promise<void> = Promise.resolve();
  #wake = new AbortController();

  private constructor(parts: LeadershipParts, state: Coordination) {
    this.#parts = parts;
    this.#clock = (parts.world ?? systemHeadWorld).sockets.clock;
    this.#state = state;
  }

  /** @throws QStreamError OPTION_INVALID, STORE_UNAVAILABLE, STORE_REFUSED */
  static async open(parts: LeadershipParts): Promise<Leadership> {
    const { world = systemHeadWorld, store, head } = parts;
    return new Leadership(parts, await world.openCoordination(store, head));
  }

  /** Its epoch while it leads. */
  get epoch(): number | undefined {
    return this.#epoch;
  }

  /** Where the head listens that led when this one looked last; empty where it doesn't know. */
  get leader(): string {
    return this.#leader;
  }

  /** Begins; fulfilled once it is known who leads. */
  async start(): Promise<void> {
    await this.#turn();
    this.#finished = this.#keepOn();
  }

  /** A write was refused because another head leads: looks at once. */
  lookNow(): void {
    this.#wake.abort();
  }

  /** Another head says that it leads: where that is under a later epoch, this one doesn't, whether or not it can reach Redis. */
  async deposedBy(leader: string, epoch: number): Promise<void> {
    if (this.#epoch === undefined || !Number.isSafeInteger(epoch) || epoch <= this.#epoch) return;
    await this.#end();
    this.#leader = leader;
  }

  /**
   * Somebody knows another head that led under this epoch, or a later one. Either that one leads, or Redis has lost that it did: then
   * machines would turn away for ever from heads that begin again with low epochs. This one looks, and leads under a later one, if at all.
   */
  async outrun(epoch: number): Promise<void> {
    this.#latest = Math.max(this.#latest, epoch);
    const own = this.#epoch;
    if (own === undefined || epoch < own) return;
    const what = `this head led under epoch ${own}, and another one under epoch ${epoch}, as machines or heads know`;
    const advice = "Where no other head leads, Redis has lost what it kept: let it write to disk, and evict nothing";
    this.#parts.trouble?.(new QStreamError("HEAD_DEPOSED", what, { advice }));
    await this.#end();
    this.lookNow();
  }

  /** Lets another head lead at once. */
  async close(): Promise<void> {
    this.#closed.abort();
    await this.#finished;
    if (this.#epoch !== undefined) {
      this.#epoch = undefined;
      await this.#parts.deposed();
      await this.#state.resign().catch(() => {});
    }
    this.#state.close();
  }

  async #keepOn(): Promise<void> {
    const { signal } = this.#closed;
    while (!signal.aborted) {
      this.#wake = new AbortController();
      const either = AbortSignal.any([signal, this.#wake.signal]);
      // oxlint-disable-next-line no-await-in-loop -- turn by turn
      await delay(this.#clock, this.#parts.leaseMs / renewalsPerLease, either).catch(() => {});
      if (signal.aborted) return;
      // oxlint-disable-next-line no-await-in-loop -- see above
      await this.#turn();
    }
  }

  async #turn(): Promise<void> {
    try {
      if (this.#epoch === undefined) await this.#campaign();
      else await this.#state.renew(this.#parts.leaseMs, this.#parts.machines());
      this.#awayTold = false;
    } catch (error) {
      if (error instanceof QStreamError && (error.code === "STORE_UNAVAILABLE" || error.code === "STORE_REFUSED")) {
        this.#awaySince = this.#clock.monotonic();
        // It is tried again and again: said once.
        if (!this.#awayTold) this.#parts.trouble?.(error);
        this.#awayTold = true;
        return;
      }
      const code = error instanceof QStreamError ? error.code : undefined;
      const lost = error instanceof QStreamError && code === "STORE_LOST" ? error : undefined;
      if (lost !== undefined) this.#parts.trouble?.(lost);
      await this.#end(lost);
      // A server that was emptied knows no leader: this connection isn't one with it.
      if (lost !== undefined) await this.#openAgain();
    }
  }

  async #campaign(): Promise<void> {
    const { url, leaseMs, leads } = this.#parts;
    // While Redis was away, the head that leads couldn't say that it lives.
    if (this.#leader !== "" && this.#clock.monotonic() - this.#awaySince < leaseMs) return;
    const campaign = await this.#state.campaign(url(), leaseMs, this.#latest);
    if (!campaign.leads) {
      this.#leader = campaign.leader;
      return;
    }
    const former = this.#leader === url() ? "" : this.#leader;
    this.#leader = url();
    this.#epoch = campaign.epoch;
    this.#latest = Math.max(this.#latest, campaign.epoch);
    try {
      await leads(campaign.epoch, this.#state, former);
    } catch (error) {
      await this.#end();
      throw error;
    }
  }

  async #end(lost?: QStreamError): Promise<void> {
    if (this.#epoch === undefined) return;
    this.#epoch = undefined;
    this.#leader = "";
    await this.#parts.deposed(lost);
  }

  async #openAgain(): Promise<void> {
    const { world = systemHeadWorld, store, head } = this.#parts;
    try {
      const state = await world.openCoordination(store, head);
      this.#state.close();
      this.#state = state;
    } catch {
      // The next turn finds out the same, and tries again.
    }
  }
}
