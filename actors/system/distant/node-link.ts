import type { Payload } from "../../../lib/core/payload.ts";

/** How a node's batches get to other nodes: by the slots' transport. */
export interface NodeLink {
  /** @param isBulk - whether the batch counts against credit */
  send: (life: number, seq: number, payload: Payload, isBulk: boolean) => void;
  /** More may be sent here. */
  grant: (life: number, rows: number, bytes: number) => void;
  /** Says that this node is here. */
  greet: (life: number, isAnswer: boolean) => void;
}

/** What a node says to another one that no actor gets. */
export interface NodeMessages {
  readonly life: number;
  /** @param isOrdered - behind what actors have sent before; else before it */
  tellNode: (life: number, name: string, payload: unknown, isOrdered: boolean) => void;
  /** The same for what may get lost: false where so much waits already that it isn't sent. */
  offerNode: (life: number, name: string, payload: unknown) => boolean;
  askNode: (life: number, name: string, payload: unknown, timeoutMs: number) => Promise<unknown>;
  /** To the host where a key is at home, once there is one. */
  tellHome: (key: string, name: string, payload: unknown) => void;
  /** The same for what may get lost. */
  offerHome: (key: string, name: string, payload: unknown) => boolean;
  askHome: (key: string, name: string, payload: unknown, timeoutMs: number) => Promise<unknown>;
  /** What was offered, and isn't sent, is a dead letter. */
  unsent: (to: string, name: string) => void;
  /** True where a key is at home here. */
  isAtHome: (key: string) => boolean;
}

/** Takes something that another node says. */
export type NodeService = (payload: never, from: number) => unknown;
