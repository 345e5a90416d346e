import type { WebSocket } from "ws";
import { ReceivingLane, SendingLane, type Connection } from "./lane.ts";
import { redialFirstMs, redialMostMs } from "./redial.ts";
import { encodeSignOfLife } from "./wire-message.ts";

/**
 * The two ways of an ordered pair of machines. `control` is dialled by who sends on it and carries what is small: credit, orders, reports,
 * signs of life. `data` carries parcels, and is dialled by who receives them: what a WebSocket's client sends has to be masked
 * byte by byte, what a server sends doesn't.
 */
export type Way = "control" | "data";

// Nonsense that one machine may send in a row: each time it is hung up on, and has to wait longer.
const strikesMost = 8;
// What only one end hears, the other one hangs up on before.
const worksAfter = 1.25;

interface Open extends Connection {
  readonly way: Way;
  readonly dialed: boolean;
  bytesRead: number;
  heardAt: number;
  readonly openedAt: number;
}

/** Another machine, as this one sees it. */
export class Peer {
  readonly id: string;
  /** Where it listens. */
  url: string;
  /** True where somebody else has said that it exists; one that only said so itself is forgotten when it goes unheard. */
  met: boolean;
  readonly sending = { control: new SendingLane(), data: new SendingLane() } as const;
  readonly receiving = { control: new ReceivingLane(), data: new ReceivingLane() } as const;
  /** What this machine dials, or has dialled. */
  readonly dials = new Set<Way>();
  /** True once it was asked to dial for parcels. */
  askedForDial = false;
  /** When anything came from it last, on the clock of this process. */
  heardAt: number;
  /** How often it was hung up on for nonsense since a message was taken from it. */
  #strikes = 0;
  /** It isn't let in before. */
  shutOutUntil = 0;
  /** Connections that were dialled in place of one that broke. */
  redials = 0;
  readonly #dialedBefore = new Set<Way>();
  /** Why the last attempt to dial it failed. */
  failure: Error | undefined;
  readonly #open = new Map<string, Open>();
  /** How far each way was when something came of what waits on it, or nothing waited. */
  readonly #moved: Record<Way, { through: number; at: number }>;

  constructor(id: string, url: string, met: boolean, now: number) {
    this.id = id;
    this.url = url;
    this.met = met;
    this.heardAt = now;
    this.#moved = { control: { through: 0, at: now }, data: { through: 0, at: now } };
  }

  /** Somebody else says where it is. */
  meet(url: string): void {
    this.url = url;
    this.met = true;
  }

  /** It sent nonsense. True where that was too often. */
  strike(now: number): boolean {
    this.#strikes++;
    this.shutOutUntil = now + Math.min(redialFirstMs * 2 ** (this.#strikes - 1), redialMostMs);
    return this.#strikes >= strikesMost;
  }

  /** A message was taken from it. */
  forgive(): void {
    this.#strikes = 0;
  }

  /** Takes a connection in place of an earlier one of its kind. */
  open(way: Way, dialed: boolean, connection: Connection, now: number, closed: () => void): void {
    const { socket, stream } = connection;
    const kind = `${way} ${dialed ? "dialed" : "accepted"}`;
    const earlier = this.#open.get(kind);
    this.#open.set(kind, { ...connection, way, dialed, bytesRead: stream.bytesRead, heardAt: now, openedAt: now });
    if (earlier !== undefined) {
      this.sending[way].detach(earlier.socket);
      earlier.socket.terminate();
    }
    this.heardAt = now;
    if (dialed && this.#dialedBefore.has(way)) this.redials++;
    if (dialed) this.#dialedBefore.add(way);
    socket.once("close", () => {
      if (this.#open.get(kind)?.socket === socket) this.#open.delete(kind);
      this.sending[way].detach(socket);
      closed();
    });
  }

  /** True for a connection that no later one has replaced. */
  uses(way: Way, dialed: boolean, socket: WebSocket): boolean {
    return this.#open.get(`${way} ${dialed ? "dialed" : "accepted"}`)?.socket === socket;
  }

  /** Messages that came in order, and messages that it has acknowledged. */
  get progress(): number {
    const { sending, receiving } = this;
    const sent = sending.control.acknowledgedThrough + sending.data.acknowledgedThrough;
    return sent + receiving.control.received + receiving.data.received;
  }

  /** True where nothing was ever said, or is to be, and no connection is open. */
  get unused(): boolean {
    const { sending, progress } = this;
    return this.#open.size === 0 && progress === 0 && sending.control.last === 0 && sending.data.last === 0;
  }

  /**
   * Tells it that this machine lives, and what has come; and hangs up where nothing came for so long, because the other end may not
   * be there any more.
   */
  beat(now: number, staleMs: number, heldUp: boolean): void {
    for (const open of this.#open.values()) {
      const { socket, stream, way, dialed } = open;
      // If this process didn't run either, what has come may wait to be read.
      if (heldUp || stream.bytesRead !== open.bytesRead) {
        open.bytesRead = stream.bytesRead;
        open.heardAt = now;
        this.heardAt = now;
      } else if (now - open.heardAt > staleMs) {
        socket.terminate();
        continue;
      }
      const comes = receives(way, dialed);
      if (comes) this.receiving[way].acknowledge(socket, true);
      // Behind what waits to be written, a sign says nothing that those bytes don't.
      if (socket.readyState !== socket.OPEN || socket.bufferedAmount > 0) continue;
      socket.send(encodeSignOfLife(comes ? this.receiving[way].received : this.sending[way].sentThrough));
    }
    this.#notice("control", now, staleMs, heldUp);
    this.#notice("data", now, staleMs, heldUp);
  }

  /**
   * It lives, and says how far it is: messages and acknowledgements that got lost are missed, though none follows them.
   *
   * @throws Refusal
   */
  lives(way: Way, dialed: boolean, through: number): void {
    if (receives(way, dialed)) this.receiving[way].sent(through);
    else this.sending[way].acknowledged(through);
  }

  /** Milliseconds for which messages have waited on one of the ways, and nothing came of them. */
  stuckMs(now: number): number {
    return now - Math.min(this.#moved.control.at, this.#moved.data.at);
  }

  /** A connection that works may take long with one message; one that only one end hears doesn't live long. */
  #notice(way: Way, now: number, staleMs: number, heldUp: boolean): void {
    const lane = this.sending[way];
    const moved = this.#moved[way];
    const { acknowledgedThrough } = lane;
    const open = this.#open.get(way === "control" ? "control dialed" : "data accepted");
    const works = open !== undefined && open.heardAt > moved.at && now - open.openedAt > worksAfter * staleMs;
    if (!heldUp && !works && lane.bytesKept > 0 && acknowledgedThrough === moved.through) return;
    moved.through = acknowledgedThrough;
    moved.at = now;
  }

  /** Messages of this machine to the peer that haven't been acknowledged, in bytes. */
  get bytesKept(): number {
    return this.sending.control.bytesKept + this.sending.data.bytesKept;
  }

  /** Messages that were sent or came twice, because a connection broke. */
  get repeated(): { readonly sent: number; readonly received: number } {
    const { sending, receiving } = this;
    return {
      sent: sending.control.resent + sending.data.resent,
      received: receiving.control.repeated + receiving.data.repeated,
    };
  }

  /** Asks it to acknowledge what came. */
  ask(): void {
    this.sending.control.ask();
    this.sending.data.ask();
  }

  close(): void {
    for (const { socket } of this.#open.values()) socket.terminate();
    this.sending.control.close();
    this.sending.data.close();
    this.#open.clear();
  }
}

/** True at the end of a connection to which messages come: the one who dialled for parcels, and who was dialled for the rest. */
function receives(way: Way, dialed: boolean): boolean {
  return (way === "data") === dialed;
}
