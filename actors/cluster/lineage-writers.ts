import { LineageWriter, type LineageAuthority } from "../lineage/lineage-writer.ts";
import { repeatWhileAway } from "../stores/repeat-while-away.ts";
import type { LineageReport, LineageOrder } from "../lineage/protocol.ts";
import type { LineageStore } from "../../lib/core/contracts/lineage-store.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import { delay } from "../../lib/core/seam/clock.ts";
import type { MachineWorld } from "./machine-world.ts";
import { StoreWatch } from "./store-watch.ts";

interface Opened {
  readonly store: LineageStore;
  readonly writer: LineageWriter;
}

export interface LineageWritersParts {
  readonly world: MachineWorld;
  readonly authority: LineageAuthority;
  readonly order: (slot: string, order: LineageOrder) => void;
  /** Milliseconds without an answer after which a store counts as out of reach. */
  readonly leaseMs: number;
  /** A store is out of reach, said again now and then; or within reach again. */
  readonly storeAway: (away: boolean) => void;
}

/** The lineage writers of a machine: one for each store, with a connection of its own. */
export class LineageWriters {
  readonly #parts: LineageWritersParts;
  readonly #closed = new AbortController();
  readonly #watches = new Map<string, StoreWatch>();
  readonly #stores = new Map<string, LineageStore>();
  readonly #opened = new Map<string, Promise<Opened>>();
  /** Those that have lost what they kept: what wrote to them fails, and nothing else does. */
  readonly #lost: Promise<Opened>[] = [];
  readonly #byExecution = new Map<string, LineageWriter>();
  /** Executions that are here, also while their store is being opened. */
  readonly #wanted = new Set<string>();

  constructor(parts: LineageWritersParts) {
    this.#parts = parts;
  }

  /**
   * An execution is going to write to a store.
   *
   * @throws QStreamError STORE_UNAVAILABLE, STORE_REFUSED
   */
  async open(execution: string, url: string, waitMs: number): Promise<void> {
    this.#wanted.add(execution);
    const { writer } = await this.#usable(url, waitMs);
    // It may be over by now: a store that is away is waited for.
    if (!this.#wanted.has(execution)) return;
    writer.open(execution);
    this.#byExecution.set(execution, writer);
  }

  receive(report: LineageReport): void {
    this.#byExecution.get(report.execution)?.receive(report);
  }

  written(execution: string): ReturnType<LineageWriter["written"]> {
    return this.#byExecution.get(execution)?.written(execution);
  }

  close(execution: string, reason: Error): void {
    this.#wanted.delete(execution);
    this.#byExecution.get(execution)?.close(execution, reason);
    this.#byExecution.delete(execution);
  }

  async end(): Promise<void> {
    this.#closed.abort(new QStreamError("SESSION_CLOSED", "the machine is closed"));
    for (const watch of this.#watches.values()) watch.close();
    const all = await Promise.allSettled([...this.#opened.values(), ...this.#lost]);
    for (const opened of all) {
      if (opened.status === "rejected") continue;
      opened.value.writer.stop();
      // oxlint-disable-next-line no-await-in-loop -- there is one
      await opened.value.store.close();
    }
  }

  /** A store that was opened before may have been emptied since, which is nothing to an execution that begins after that. */
  async #usable(url: string, waitMs: number): Promise<Opened> {
    const opening = this.#openOnce(url, waitMs);
    const opened = await opening;
    if (!(await this.#isLost(opened.store))) return opened;
    if (this.#opened.get(url) === opening) {
      this.#opened.delete(url);
      this.#stores.delete(url);
      this.#lost.push(opening);
    }
    return this.#openOnce(url, waitMs);
  }

  /** One that doesn't answer isn't known to be. */
  async #isLost(store: LineageStore): Promise<boolean> {
    const { world, leaseMs } = this.#parts;
    const answered = new AbortController();
    const asked = store.find("").then(
      () => false,
      (error: unknown) => error instanceof QStreamError && error.code === "STORE_LOST",
    );
    const late = delay(world.sockets.clock, leaseMs, answered.signal).then(
      () => false,
      () => false,
    );
    const isLost = await Promise.race([asked, late]);
    answered.abort();
    return isLost;
  }

  #openOnce(url: string, waitMs: number): Promise<Opened> {
    let opening = this.#opened.get(url);
    if (opening === undefined) {
      opening = this.#open(url, waitMs);
      this.#opened.set(url, opening);
      opening.catch(() => this.#opened.delete(url));
    }
    return opening;
  }

  async #open(url: string, waitMs: number): Promise<Opened> {
    const { world, authority, order } = this.#parts;
    const { clock } = world.sockets;
    const watch = this.#watchOf(url);
    const waiting = { clock, waitMs, signal: this.#closed.signal, isFullAway: true };
    const store = await repeatWhileAway(waiting, () => watch.call(() => world.openStore(url)));
    this.#stores.set(url, store);
    const watched = watch.over(store);
    return {
      store,
      writer: new LineageWriter({ host: world.host(), clock, store: watched, waitMs, order, authority }),
    };
  }

  #watchOf(url: string): StoreWatch {
    let watch = this.#watches.get(url);
    if (watch === undefined) {
      const { world, leaseMs, storeAway } = this.#parts;
      watch = new StoreWatch({ clock: world.sockets.clock, leaseMs, ask: () => this.#ask(url), told: storeAway });
      this.#watches.set(url, watch);
    }
    return watch;
  }

  /** Asks a store anything. One that couldn't be opened so far is opened for that. */
  async #ask(url: string): Promise<void> {
    const store = this.#stores.get(url);
    if (store !== undefined) await store.find("");
    else await (await this.#parts.world.openStore(url)).close();
  }
}
