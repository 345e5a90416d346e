import { EventEmitter } from "node:events";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { deserialize, serialize } from "node:v8";
import { crc32 } from "node:zlib";
import * as assert from "uvu/assert";
import type { WebSocket } from "ws";
import type { MachineWorld } from "../../actors/cluster/machine-world.ts";
import { RemoteSlots } from "../../actors/cluster/remote-slots.ts";
import { NactHost } from "../../actors/hosts/nact-host.ts";
import type { LaunchedSlots } from "../../actors/slots/slot-launcher.ts";
import { CoordinationBoard, MemoryCoordination } from "../../actors/stores/memory-coordination.ts";
import { MemoryStore } from "../../actors/stores/memory-store.ts";
import type { ServerOptions } from "../../actors/transport/wire/server.ts";
import type { Sockets } from "../../actors/transport/wire/sockets.ts";
import { helloHeaders } from "../../actors/transport/wire/wire-hello.ts";
import { encodeWireMessage } from "../../actors/transport/wire/wire-message.ts";
import type { HeadWorld } from "../../lib/cluster/head-world.ts";
import { Head } from "../../lib/cluster/head.ts";
import { Worker } from "../../lib/cluster/worker.ts";
import type { ToClient } from "../../lib/cluster/protocol.ts";
import type { FileSystem } from "../../lib/core/contracts/file-system.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import { systemClock, type Clock } from "../../lib/core/seam/clock.ts";
import { seededRandom, type Random } from "../../lib/core/seam/random.ts";
import {
  fromClientWords,
  fromMachineWords,
  fromWorkerWords,
  mutatedWord,
  toMachineWords,
  toWorkerWords,
} from "../actors/cluster/mutated-words.ts";
import { openMachine } from "./open-machine.ts";

/** What became of words: each was taken, or refused and counted; whatever throws fails the spec. */
export interface Fuzzed {
  taken: number;
  refused: number;
}

const security = { token: undefined, tls: undefined };
const bind = { host: "127.0.0.1", port: 0 };
const leaseMs = 1000;
// What was told is forgotten now and then: another machine, driver or head hears the rest.
const wordsEach = 500;
const tellAt = 11;

/** As much of a WebSocket as is used, and of the stream below it. */
class FakeSocket extends EventEmitter {
  readonly OPEN = 1;
  readonly CLOSED = 3;
  readonly bufferedAmount = 0;
  readonly bytesRead = 0;
  readonly sent: Uint8Array[] = [];
  readyState = 1;

  send(bytes: Uint8Array): void {
    this.sent.push(bytes);
  }

  terminate(): void {
    if (this.readyState === this.CLOSED) return;
    this.readyState = this.CLOSED;
    setImmediate(() => this.emit("close"));
  }

  close(): void {
    this.terminate();
  }

  ping(): void {}
  resume(): void {}
  cork(): void {}
  uncork(): void {}
}

/** Time stands still, but where it is moved on. */
class StillClock implements Clock {
  #now = 0;
  #timers: { readonly at: number; readonly callback: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { at: this.#now + delayMs, callback };
    this.#timers.push(timer);
    return () => void (this.#timers = this.#timers.filter((one) => one !== timer));
  }

  soon(callback: () => void): void {
    setImmediate(callback);
  }

  advance(byMs: number): void {
    this.#now += byMs;
    const due = this.#timers.filter(({ at }) => at <= this.#now);
    this.#timers = this.#timers.filter(({ at }) => at > this.#now);
    for (const { callback } of due) callback();
  }
}

/** A world without a network: what would come over it is handed in. */
class Around {
  readonly clock = new StillClock();
  readonly sockets: Sockets;
  /** Where this end has dialled, last of all. */
  dialled: FakeSocket | undefined;
  #options: ServerOptions | undefined;

  constructor(dials: boolean) {
    this.sockets = {
      clock: this.clock,
      listen: async (options) => {
        this.#options = options;
        return { port: 1, refused: 0, close: async () => {} };
      },
      dial: async () => {
        if (!dials) return new Promise<never>(() => {});
        const socket = (this.dialled = new FakeSocket());
        return { socket: socket as unknown as WebSocket, stream: socket as unknown as Socket, headers: {} };
      },
    };
  }

  /** Somebody connects; the status where that is refused. */
  connect(path: string, headers: IncomingHttpHeaders = {}): FakeSocket | number {
    const url = new URL(path, "ws://127.0.0.1");
    const request = { headers } as IncomingMessage;
    const admission = this.#options?.admit(url, request, "all");
    if (admission?.admitted !== true) return admission?.status ?? 0;
    const socket = new FakeSocket();
    const [asSocket, stream] = [socket as unknown as WebSocket, socket as unknown as Socket];
    admission.connected({ socket: asSocket, stream, request, url, rights: "all" });
    return socket;
  }

  machineWorld(): MachineWorld {
    let ids = 0;
    return {
      sockets: this.sockets,
      freshId: (prefix) => `${prefix}-${ids++}`,
      host: () => new NactHost(),
      openStore: async () => {
        throw new QStreamError("OPTION_INVALID", "nothing is kept");
      },
      openBundles: () => ({ fetch: async () => "data:,", release: () => {}, close: () => {} }),
      launch: ({ ids: names, machine = "", client }) => launchedSlots(names, machine, client),
      slotWorld: () => ({}),
    };
  }
}

function launchedSlots(names: readonly string[], machine: string, client: string): LaunchedSlots {
  const slotOf = (id: string): LaunchedSlots["client"] => ({
    id,
    machine,
    tags: [],
    order: (order) => void serialize(order),
    lose: () => {},
  });
  return { slots: names.map(slotOf), client: slotOf(client), replace: async () => {}, close: async () => {} };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A word as it travels: now and then with some bytes of it changed, and sealed as if that were right. */
function fragmentsOf(word: object, random: Random): Buffer[] {
  const [first, second = new Uint8Array(0)] = encodeWireMessage(1, { kind: "tell", content: word as { kind: string } });
  if (random() < 0.3) {
    for (let change = 0; change < 3; change++)
      second[Math.floor(random() * second.length)] = Math.floor(random() * 256);
    const view = new DataView(first.buffer, first.byteOffset);
    view.setUint32(tellAt, crc32(second), true);
    view.setUint32(0, crc32(first.subarray(4)), true);
  }
  return [Buffer.from(first), Buffer.from(second)];
}

/** Tells one end of a wire a word, as a machine whose connection has just been opened. */
function tell(around: Around, from: string, to: string, word: object, random: Random): "taken" | "refused" {
  const hello = helloHeaders({ from, to, url: "ws://127.0.0.1:9", received: 0 });
  const socket = around.connect("/wire/control", hello);
  if (typeof socket === "number") throw new Error(`${from} isn't let in: ${socket}`);
  socket.emit("message", fragmentsOf(word, random), true);
  if (socket.readyState === socket.OPEN) return "taken";
  // A word that isn't of its form is refused as such: it never breaks what takes it.
  assert.is(around.connect("/wire/control", hello), 429, `${from} is given up`);
  return "refused";
}

/** Tells machines so many wrong words of drivers. */
export async function fuzzMachines(count: number, seed: number): Promise<Fuzzed> {
  const random = seededRandom(seed);
  const fuzzed = { taken: 0, refused: 0 };
  for (let told = 0; told < count; told += wordsEach) {
    const around = new Around(false);
    const machine = await openMachine({ bind, security, leaseMs, world: around.machineWorld() });
    for (let word = 0; word < wordsEach; word++) {
      fuzzed[tell(around, `D${word}`, "M", mutatedWord(toMachineWords, random), random)]++;
    }
    await settled();
    await machine.close();
  }
  return fuzzed;
}

/** Tells drivers so many wrong words of machines. */
export async function fuzzDrivers(count: number, seed: number): Promise<Fuzzed> {
  const random = seededRandom(seed);
  const fuzzed = { taken: 0, refused: 0 };
  for (let told = 0; told < count; told += wordsEach) {
    const around = new Around(false);
    const remote = await RemoteSlots.open({
      world: around.machineWorld(),
      id: "D",
      bind,
      security,
      files: {} as FileSystem,
      leaseMs,
      driver: 1,
      epoch: 1,
      bundle: { hash: "", url: "" },
      store: "none",
      storeWaitMs: 1000,
      storeAnswers: async () => false,
      lineage: () => undefined,
      onReport: (report) => void serialize(report),
      onLost: () => {},
      onAdded: () => {},
      onTaken: () => {},
    });
    for (let word = 0; word < wordsEach; word++) {
      const id = `M${word}`;
      remote.add({ id, url: "ws://127.0.0.1:9" });
      fuzzed[tell(around, id, "D", mutatedWord(fromMachineWords, random), random)]++;
      remote.machineLost(id, "it is enough");
    }
    await settled();
    // Nobody waits for what is on its way: time stands still.
    const closed = remote.close();
    for (let turn = 0; turn < 3; turn++) {
      await settled();
      around.clock.advance(10_000);
    }
    await closed;
  }
  return fuzzed;
}

function headWorld(around: Around, board: CoordinationBoard): HeadWorld {
  let ids = 0;
  return {
    sockets: around.sockets,
    freshId: (prefix) => `${prefix}-${ids++}`,
    openCoordination: async (_store, name) => new MemoryCoordination(board, name),
    openStore: async () => new MemoryStore(),
    drivers: () => ({
      open: () => {},
      close: () => {},
      start: ({ driver }) => ({ number: driver, tell: (message) => void serialize(message), kill: async () => {} }),
    }),
  };
}

/** Tells heads so many wrong words, of clients and of workers. */
export async function fuzzHeads(count: number, seed: number): Promise<Fuzzed> {
  const random = seededRandom(seed);
  const fuzzed = { taken: 0, refused: 0 };
  while (fuzzed.taken + fuzzed.refused < count) {
    const around = new Around(false);
    const board = new CoordinationBoard(systemClock);
    const head = await Head.open({
      store: "redis://nowhere",
      bind,
      security,
      leaseMs,
      world: headWorld(around, board),
    });
    const wanted = Math.min(count, fuzzed.taken + fuzzed.refused + wordsEach);
    while (head.epoch === 1 && fuzzed.taken + fuzzed.refused < wanted) {
      const isClient = random() < 0.7;
      const word = mutatedWord(isClient ? fromClientWords : fromWorkerWords, random);
      const socket = around.connect(isClient ? "/client" : "/machine");
      if (typeof socket === "number") throw new Error(`it isn't let in: ${socket}`);
      emit(socket, word, random);
      await settled();
      fuzzed[socket.readyState === socket.OPEN ? "taken" : "refused"]++;
      for (const bytes of socket.sent.slice(1)) {
        const answer = deserialize(bytes) as ToClient;
        if (answer.kind === "refused") assert.ok(answer.error.code !== undefined, answer.error.message);
      }
      assert.ok(head.epoch === 1 || isLaterEpoch(word), "a word that is no later epoch deposed it");
      socket.terminate();
    }
    await head.close();
  }
  return fuzzed;
}

/** The only word after which a head doesn't lead any more. */
function isLaterEpoch(word: Readonly<Record<string, unknown>>): boolean {
  return word["kind"] === "deposed" && Number.isSafeInteger(word["epoch"]) && Number(word["epoch"]) > 1;
}

/** Tells workers so many wrong words of heads. */
export async function fuzzWorkers(count: number, seed: number): Promise<Fuzzed> {
  const random = seededRandom(seed);
  const fuzzed = { taken: 0, refused: 0 };
  const around = new Around(true);
  const worker = await Worker.open({
    world: around.machineWorld(),
    join: ["ws://127.0.0.1:9"],
    slots: 1,
    tags: [],
    memoryBytes: undefined,
    bind,
    security,
    leaseMs: 2 ** 31,
    turnMs: 0,
    broken: (error) => {
      throw error;
    },
  });
  for (let word = 0; word < count; word++) {
    while (around.dialled === undefined) {
      around.clock.advance(10_000);
      await settled();
    }
    const socket = around.dialled;
    around.dialled = undefined;
    // Its listeners come once the dial has been fulfilled.
    await settled();
    emit(socket, mutatedWord(toWorkerWords, random), random);
    fuzzed[socket.readyState === socket.OPEN ? "taken" : "refused"]++;
    socket.terminate();
    await settled();
  }
  await worker.close();
  return fuzzed;
}

/** As structured clone; where it can be, now and then as JSON. */
function emit(socket: FakeSocket, word: object, random: Random): void {
  const asJson = random() < 0.3 ? jsonOf(word) : undefined;
  socket.emit("message", asJson === undefined ? serialize(word) : Buffer.from(asJson), asJson === undefined);
}

function jsonOf(word: object): string | undefined {
  try {
    // Holes are nulls in it, and may be many.
    const text = serialize(word).byteLength < 10_000 && !hasManyHoles(word) ? JSON.stringify(word) : undefined;
    return text;
  } catch {
    return undefined;
  }
}

function hasManyHoles(value: unknown, depth = 0): boolean {
  if (typeof value !== "object" || value === null || depth > 8) return false;
  if (Array.isArray(value) && value.length > 1000) return true;
  return Object.values(value).some((one) => hasManyHoles(one, depth + 1));
}
