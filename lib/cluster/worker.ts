import { hostname } from "node:os";
import { Machine } from "../../actors/cluster/machine.ts";
import type { MachineOffer } from "../../actors/cluster/protocol.ts";
import type { MachineCounts } from "../../actors/cluster/machine-counts.ts";
import { systemWorld, type MachineWorld } from "../../actors/cluster/machine-world.ts";
import { openCompression, type Compression } from "../../actors/transport/compression.ts";
import type { Bind, Security } from "../../actors/transport/wire/security.ts";
import { versionHeaders } from "../../actors/transport/wire/wire-hello.ts";
import { settleBundle } from "../code/machine-bundle.ts";
import { QStreamError } from "../core/errors.ts";
import { delay } from "../core/seam/clock.ts";
import type { MachineFiles } from "../files/index.ts";
import { checkToWorker } from "./check-talk.ts";
import { headUrl } from "./head-url.ts";
import type { FromWorker, ToWorker } from "./protocol.ts";
import { Talk } from "./talk.ts";

export interface WorkerOptions {
  /** Default: that of a process. */
  readonly world?: MachineWorld | undefined;
  /** URLs of heads: the first that answers is joined. */
  readonly join: readonly string[];
  readonly slots: number;
  readonly tags: readonly string[];
  readonly memoryBytes: number | undefined;
  /** Bytes of datasets that each slot keeps. Default: 1 GiB. */
  readonly datasetBytes?: number | undefined;
  /** What flows read and write of this host. Default: what this process can. */
  readonly files?: MachineFiles | undefined;
  readonly bind: Bind;
  readonly security: Security;
  readonly advertise?: string | undefined;
  readonly leaseMs: number;
  readonly turnMs: number;
  /** How large parcels for other machines are packed. Default: none. */
  readonly compression?: Compression | undefined;
  /** Called when it has joined a head, and when it lost it. */
  readonly onHead?: (url: string | undefined) => void;
  /** It can't join a head. Called when the reason is another one than before. */
  readonly onTrouble?: (error: Error) => void;
  /** It was given up, and comes back empty, as another machine. */
  readonly onBegunAnew?: (offer: MachineOffer) => void;
  /** From here the store can't be reached, though the head can; or it can again. */
  readonly onStoreAway?: (away: boolean) => void;
  /** It was drained, or was to leave: nothing needs it any more, and it joins no head again. */
  readonly onDrained?: () => void;
  /** The process can't go on. */
  readonly broken: (error: Error) => void;
}

const datasetBytesDefault = 2 ** 30;
const rejoinFirstMs = 100;
const rejoinMostMs = 2000;
const emptyLookMs = 50;
const emptyMostMs = 2000;
const countsEveryMs = 1000;

/** What came of a visit to a head. */
type Visit =
  | { readonly kind: "stayed" | "given-up" | "leave" }
  /** It waits: another one leads, there or nobody knows where. */
  | { readonly kind: "elsewhere"; readonly leader: URL | undefined };

/** A machine that offers its slots to a cluster, for as long as it runs. */
export class Worker {
  readonly #options: WorkerOptions;
  readonly #world: MachineWorld;
  readonly #closed = new AbortController();
  #machine: Machine;
  /** Tells the head what the machine offers by now. */
  #offer = (): void => {};
  /** Tells the head that the machine is to go; undefined while no head knows of it. */
  #drain: (() => void) | undefined;
  #isLeaving = false;
  #isStoreAway = false;
  #trouble = "";
  /** The head that it was welcomed by under the latest epoch. */
  #led = { epoch: 0, head: "" };
  /** Words of heads that heads don't tell. */
  #refused = 0;

  private constructor(options: WorkerOptions, machine: Machine) {
    this.#options = options;
    this.#world = options.world ?? systemWorld;
    this.#machine = machine;
  }

  /**
   * Listens and starts the slots; a head that isn't there yet is looked for until it is.
   *
   * @throws QStreamError PACKAGE_MISSING where it can't pack what it is to pack
   */
  static async open(options: WorkerOptions): Promise<Worker> {
    const heads = options.join.map((url) => headUrl(url));
    if (options.compression === "lz4") openCompression();
    const opened: { offer?: () => void } = {};
    const machine = await openMachine(options, () => opened.offer?.());
    const worker = new Worker(options, machine);
    opened.offer = () => worker.#offered();
    void worker.#keepJoining(heads);
    return worker;
  }

  /** Another one, under another name, once the cluster has given it up. */
  get machine(): Machine {
    return this.#machine;
  }

  /**
   * The machine is to go: the head is asked to have others take over what runs here, also the one that leads after it. `onDrained` is
   * called once nothing needs it any more; where nothing is here, and no head knows of it, at once.
   */
  leave(): void {
    this.#isLeaving = true;
    if (this.#drain !== undefined) this.#drain();
    else if (this.#isEmpty) this.#options.onDrained?.();
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await this.#machine.close();
  }

  #offered(): void {
    this.#offer();
    const away = this.#machine.offer.storeAway === true;
    if (away === this.#isStoreAway) return;
    this.#isStoreAway = away;
    this.#options.onStoreAway?.(away);
  }

  #countsOf({ counts }: Machine): MachineCounts {
    return { ...counts, refusedMessages: counts.refusedMessages + this.#refused };
  }

  get #isEmpty(): boolean {
    return this.#machine.executions.length === 0;
  }

  async #keepJoining(heads: readonly URL[]): Promise<void> {
    const { signal } = this.#closed;
    let pauseMs = rejoinFirstMs;
    let leader: URL | undefined;
    for (let turn = 0; !signal.aborted; turn++) {
      const head: URL | undefined = leader ?? heads[turn % heads.length];
      leader = undefined;
      if (head === undefined) return;
      try {
        // oxlint-disable-next-line no-await-in-loop -- one head after the other
        const visit = await this.#visit(head);
        // What a machine had that was given up is made again by others already.
        if (visit.kind === "leave" || (visit.kind === "given-up" && this.#isLeaving)) {
          // oxlint-disable-next-line no-await-in-loop -- it is the end of the loop
          await this.#untilEmpty();
          this.#options.onDrained?.();
          return;
        }
        // oxlint-disable-next-line no-await-in-loop -- see above
        if (visit.kind === "given-up") await this.#beginAnew();
        if (visit.kind === "elsewhere") leader = visit.leader;
        pauseMs = rejoinFirstMs;
      } catch (error) {
        this.#tellTrouble(error);
        pauseMs = Math.min(2 * pauseMs, rejoinMostMs);
        if (this.#isLeaving && this.#isEmpty) this.#options.onDrained?.();
      }
      // oxlint-disable-next-line no-await-in-loop -- see above
      await delay(this.#world.sockets.clock, pauseMs, signal).catch(() => {});
    }
  }

  /** Not one that led before and doesn't know it yet, and not one to which Redis gave an epoch again that another one had. */
  #follows({ epoch, head }: { readonly epoch: number; readonly head: string }): boolean {
    const { epoch: latest, head: leader } = this.#led;
    if (epoch < latest || (epoch === latest && head !== leader) || !this.#machine.heardOf(epoch)) return false;
    this.#led = { epoch, head };
    return true;
  }

  /** Drivers have nothing here any more, but may be about to say so; one that was replaced meanwhile never does. */
  async #untilEmpty(): Promise<void> {
    const { clock } = this.#world.sockets;
    const until = clock.monotonic() + Math.min(this.#options.leaseMs, emptyMostMs);
    while (!this.#isEmpty && clock.monotonic() < until) {
      // oxlint-disable-next-line no-await-in-loop -- it waits
      await delay(clock, emptyLookMs, this.#closed.signal).catch(() => {});
      if (this.#closed.signal.aborted) return;
    }
  }

  #tellTrouble(error: unknown): void {
    const trouble = error instanceof Error ? error : new Error(String(error));
    if (trouble.message === this.#trouble || this.#closed.signal.aborted) return;
    this.#trouble = trouble.message;
    this.#options.onTrouble?.(trouble);
  }

  /** What this machine had is made again by others: it comes back empty, under another name. */
  async #beginAnew(): Promise<void> {
    await this.#machine.close();
    if (this.#closed.signal.aborted) return;
    this.#machine = await openMachine(this.#options, () => this.#offered());
    if (this.#closed.signal.aborted) await this.#machine.close();
    else this.#options.onBegunAnew?.(this.#machine.offer);
  }

  /** Fulfilled when the connection with a head is over. @throws QStreamError MACHINE_UNREACHABLE, MACHINE_REFUSED */
  async #visit(head: URL): Promise<Visit> {
    const { security, leaseMs, onHead } = this.#options;
    const { socket, stream } = await this.#world.sockets.dial(new URL("/machine", head).href, versionHeaders, security);
    const { signal } = this.#closed;
    const machine = this.#machine;
    let visit: Visit = { kind: "stayed" };
    const { clock } = this.#world.sockets;
    let stopCounting = (): void => {};
    await new Promise<void>((ended) => {
      const close = (): void => talk.close();
      let countsTold = "";
      const tellCounts = (): void => {
        const counts = this.#countsOf(machine);
        const text = Object.values(counts).join();
        if (text !== countsTold && Object.values(counts).some((count) => count > 0))
          talk.tell({ kind: "counts", counts });
        countsTold = text;
        stopCounting = clock.after(countsEveryMs, tellCounts);
      };
      const told = (message: ToWorker): void => {
        switch (message.kind) {
          case "welcome":
            if (!this.#follows(message)) {
              talk.tell({ kind: "later", epoch: Math.max(this.#led.epoch, machine.epoch) });
              talk.close();
              this.#tellTrouble(leadsTooEarly(head, message.epoch));
              return;
            }
            this.#trouble = "";
            this.#offer = () => talk.tell({ kind: "offer", offer: machine.offer });
            this.#offer();
            tellCounts();
            return;
          case "listed":
            this.#drain = () => talk.tell({ kind: "drain" });
            if (this.#isLeaving) this.#drain();
            onHead?.(head.href);
            return;
          case "elsewhere":
            visit = { kind: "elsewhere", leader: leaderOf(message.leader, head) };
            return;
          case "machine-gone":
            machine.machineGone(message.machine);
            return;
          case "release-datasets":
            machine.releaseDatasets(message.datasets);
            return;
          default:
            visit = { kind: message.kind };
            talk.close();
        }
      };
      const talk: Talk<FromWorker, ToWorker> = new Talk(socket, leaseMs, {
        stream,
        clock: this.#world.sockets.clock,
        told: (message) => told(checkToWorker(message)),
        nonsense: () => this.#refused++,
        ended: () => {
          signal.removeEventListener("abort", close);
          stopCounting();
          ended();
        },
      });
      signal.addEventListener("abort", close, { once: true });
    });
    if (this.#drain !== undefined && !signal.aborted && (visit as Visit).kind !== "leave") onHead?.(undefined);
    this.#offer = () => {};
    this.#drain = undefined;
    return visit;
  }
}

function leadsTooEarly(head: URL, epoch: number): QStreamError {
  return new QStreamError(
    "HEAD_DEPOSED",
    `the head ${head.host} leads under epoch ${epoch}, which isn't above that of another one before`,
    { advice: "It is told so, and waits or begins a later one: this machine joins then" },
  );
}

function leaderOf(url: string, asked: URL): URL | undefined {
  if (url === "") return undefined;
  try {
    const leader = headUrl(url);
    return leader.href === asked.href ? undefined : leader;
  } catch {
    return undefined;
  }
}

/** @param offers - called when what it offers has changed */
function openMachine(options: WorkerOptions, offers: () => void): Promise<Machine> {
  const { slots, tags, memoryBytes, turnMs, bind, security, advertise, leaseMs, broken, world = systemWorld } = options;
  const host = hostname();
  return Machine.open({
    world,
    id: world.freshId(host.replaceAll(/[^\w.-]/gu, "-").slice(0, 60) || "machine"),
    slots,
    tags,
    host,
    memoryBytes,
    datasetBytes: options.datasetBytes ?? datasetBytesDefault,
    files: options.files ?? {},
    turnMs,
    compression: options.compression,
    bind,
    security,
    advertise,
    leaseMs,
    settleCode: settleBundle,
    offers,
    broken,
  });
}
