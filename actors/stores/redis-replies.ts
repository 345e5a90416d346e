import type { RedisReply } from "./redis-connection.ts";

// What Redis answers to scripts, as what it is.

export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function listOf(reply: RedisReply | undefined): readonly RedisReply[] {
  return Array.isArray(reply) ? (reply as readonly RedisReply[]) : [];
}

export function textOf(reply: RedisReply | undefined): string {
  return reply instanceof Buffer ? reply.toString() : typeof reply === "string" ? reply : "";
}

export function numberOf(reply: RedisReply | undefined): number {
  return typeof reply === "number" ? reply : Number(textOf(reply));
}

/** Bytes of their own: replies are cut from larger ones. */
export function bytesOf(reply: RedisReply | undefined): Uint8Array {
  return reply instanceof Buffer ? new Uint8Array(reply) : new Uint8Array();
}

export function seqsOf(reply: RedisReply | undefined): number[] {
  return listOf(reply)
    .map((seq) => Number(textOf(seq)))
    .toSorted((a, b) => a - b);
}
