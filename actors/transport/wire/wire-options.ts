import type { IncomingMessage, ServerResponse } from "node:http";
import type { LinkMessage } from "../../../lib/core/contracts/transport.ts";
import type { Bind, Security } from "./security.ts";
import type { Admission, Rights } from "./server.ts";
import type { Sockets } from "./sockets.ts";
import type { Told } from "./wire-message.ts";

export interface WireOptions {
  /** This machine's name: no other machine, and no other life of this one, has it. */
  readonly machine: string;
  /** Default: those of this machine. */
  readonly sockets?: Sockets | undefined;
  readonly bind: Bind;
  readonly security: Security;
  /** `host:port` by which others reach this machine, where that isn't what it binds. */
  readonly advertise?: string | undefined;
  /** Milliseconds without a sign of life after which a peer that is watched counts as silent. */
  readonly leaseMs: number;
  /** A link's message came for a slot of this machine. */
  readonly link: (to: string, from: string, message: LinkMessage) => void;
  /** @throws Refusal where machines don't tell that: the connection is closed */
  readonly told: (machine: string, content: Told) => void;
  /** Nothing was heard of a machine for so long. Called once for each that is watched; `failure` is why it couldn't be dialled. */
  readonly silent?: (machine: string, silentMs: number, failure?: Error) => void;
  /** A machine has given this one up, or can't be talked with any more: nothing comes from it from now on. */
  readonly givenUp?: (machine: string, why: string) => void;
  /** Bytes that may be on their way to one machine before it is given up. Default: 1 GiB. */
  readonly keptBytesMax?: number;
  /** Requests that aren't of machines. */
  readonly admit?: (url: URL, request: IncomingMessage, rights: Rights) => Admission;
  readonly answer?: (url: URL, request: IncomingMessage, response: ServerResponse, rights: Rights) => void;
}
