import { loadBatches } from "../../lib/core/batch/index.ts";
import type { Context } from "../../lib/core/contracts/context.ts";
import type { Outputs } from "../../lib/core/contracts/operator.ts";
import { decodeChunk, encodeChunk, isKeptBatch } from "./kept-chunk.ts";
import { holdsBatch } from "./task-input.ts";
import { SinkWork } from "./work.ts";

/** What a task wrote to a sink. */
interface KeptWrite {
  readonly seq: number;
  /** Plain objects together, or each batch. */
  readonly chunks: readonly Uint8Array[];
}

/** In place of the state of a sink that saves none: all that was written to it. */
export interface KeptWrites {
  readonly keptWrites: readonly KeptWrite[];
}

/**
 * The work of a sink's channel that pauses for others to go on. Where the sink saves no state, what was written to it is kept
 * instead: it is written again, as it would be with all of the log.
 */
export class KeepingSinkWork extends SinkWork {
  readonly #writes: KeptWrite[] = [];

  override execute(input: string, objects: readonly unknown[], ctx: Context): Outputs<unknown> {
    if (super.snapshot === undefined) this.#writes.push({ seq: ctx.seq, chunks: chunksOf(objects) });
    return super.execute(input, objects, ctx);
  }

  override get snapshot(): () => unknown {
    return super.snapshot ?? ((): KeptWrites => ({ keptWrites: this.#writes }));
  }
}

/** True for what stands in place of a state. */
export function isKeptWrites(state: unknown): state is KeptWrites {
  return typeof state === "object" && state !== null && "keptWrites" in state;
}

/** What was written, task by task. */
export async function* writesOf({ keptWrites }: KeptWrites): AsyncGenerator<{ seq: number; objects: unknown[] }> {
  for (const { seq, chunks } of keptWrites) {
    // oxlint-disable-next-line no-await-in-loop -- loaded once, and only if there are any
    if (chunks.some(isKeptBatch)) await loadBatches();
    yield { seq, objects: chunks.flatMap((chunk) => decodeChunk(chunk, false).objects) };
  }
}

function chunksOf(objects: readonly unknown[]): Uint8Array[] {
  const whole = { sides: undefined, last: true };
  if (!holdsBatch(objects)) return [encodeChunk({ ...whole, objects, columnar: false })];
  return objects.map((batch) => encodeChunk({ ...whole, objects: [batch], columnar: true }));
}
