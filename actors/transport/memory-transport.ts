import type { LinkMessage, Transport } from "../../lib/core/contracts/transport.ts";
import { invariant } from "../../lib/core/errors.ts";
import type { Random } from "../../lib/core/seam/random.ts";
import { Inbox } from "./inbox.ts";

export interface MemoryNetworkOptions {
  /** Runs a callback later, in a turn of its own. Default: `setImmediate`. */
  readonly schedule?: (callback: () => void) => void;
  /** Chooses which pair of slots delivers next. Without it, messages arrive in the order in which they were sent. */
  readonly random?: Random;
}

interface Pair {
  readonly from: string;
  readonly to: string;
  /** Each message with the end that it was sent to: one that opens later under the same name doesn't get it. */
  readonly queue: { readonly message: LinkMessage; readonly target: MemoryTransport }[];
}

/**
 * Connects slots that live in one thread. Delivery is asynchronous, one message a turn, and payloads are handed over as they
 * are. With a seeded `random`, the order between pairs of slots is any that a real network could have; within a pair it stays.
 */
export class MemoryNetwork {
  readonly #schedule: (callback: () => void) => void;
  readonly #random: Random | undefined;
  readonly #ends = new Map<string, MemoryTransport>();
  readonly #pairs = new Map<string, Map<string, Pair>>();
  /** Pairs with something to deliver: by chance each once, otherwise once a message, oldest first. */
  #ready: Pair[] = [];
  #readyFrom = 0;

  constructor(options: MemoryNetworkOptions = {}) {
    this.#schedule = options.schedule ?? ((callback) => void setImmediate(callback));
    this.#random = options.random;
  }

  /** The end of a slot; a new one if the slot has none or closed its last. */
  transport(slot: string): Transport {
    return this.#end(slot);
  }

  #end(slot: string): MemoryTransport {
    let end = this.#ends.get(slot);
    if (end === undefined) {
      end = new MemoryTransport(slot, {
        send: (to, message) => this.#send(slot, to, message),
        closed: () => void this.#ends.delete(slot),
      });
      this.#ends.set(slot, end);
    }
    return end;
  }

  #send(from: string, to: string, message: LinkMessage): void {
    let pairs = this.#pairs.get(from);
    if (pairs === undefined) this.#pairs.set(from, (pairs = new Map()));
    let pair = pairs.get(to);
    if (pair === undefined) pairs.set(to, (pair = { from, to, queue: [] }));
    pair.queue.push({ message, target: this.#end(to) });
    if (this.#random === undefined || pair.queue.length === 1) this.#ready.push(pair);
    this.#schedule(() => this.#deliverOne());
  }

  #deliverOne(): void {
    const pair = this.#random === undefined ? this.#takeOldest() : this.#takeByChance(this.#random);
    const next = pair.queue.shift();
    invariant(next !== undefined, "a pair of slots without messages was to deliver one");
    if (this.#random !== undefined && pair.queue.length > 0) this.#ready.push(pair);
    next.target.deliver(next.message, pair.from);
  }

  #takeOldest(): Pair {
    const pair = this.#ready[this.#readyFrom++] as Pair;
    if (this.#readyFrom >= 1024 && this.#readyFrom * 2 >= this.#ready.length) {
      this.#ready = this.#ready.slice(this.#readyFrom);
      this.#readyFrom = 0;
    }
    return pair;
  }

  #takeByChance(random: Random): Pair {
    const index = Math.floor(random() * this.#ready.length);
    const pair = this.#ready[index] as Pair;
    const last = this.#ready.pop() as Pair;
    if (index < this.#ready.length) this.#ready[index] = last;
    return pair;
  }
}

interface NetworkAccess {
  readonly send: (to: string, message: LinkMessage) => void;
  readonly closed: () => void;
}

class MemoryTransport implements Transport {
  readonly slot: string;
  readonly #network: NetworkAccess;
  readonly #inbox = new Inbox();
  #closed = false;
  bytesSent = 0;

  constructor(slot: string, network: NetworkAccess) {
    this.slot = slot;
    this.#network = network;
  }

  send(to: string, message: LinkMessage): void {
    if (this.#closed) return;
    invariant(to !== this.slot, `slot ${to} sent a message to itself through its transport`);
    if (message.kind === "parcel") this.bytesSent += message.payload.bytes.byteLength;
    this.#network.send(to, message);
  }

  receive(handler: (message: LinkMessage, from: string) => void): void {
    this.#inbox.receive(handler);
  }

  deliver(message: LinkMessage, from: string): void {
    this.#inbox.deliver(message, from);
  }

  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#inbox.close();
      this.#network.closed();
    }
    return Promise.resolve();
  }
}
