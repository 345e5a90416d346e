import { setTimeout as sleep } from "node:timers/promises";
import { defineFlow, hash, type OutputSink, type Reader, type SplitRequest } from "qstream";
import { blockBytes, digestOf, drawBytes, type ByteBlock } from "../data/bytes.ts";

/** What the sinks got: how many bytes, and the sum of the blocks' digests, in whatever order they came. */
export interface Received {
  readonly bytes: number;
  readonly digest: number;
}

interface Blocks {
  readonly first: number;
  readonly end: number;
}

function drawnBytes(seed: number, blocks: number): Reader<ByteBlock, Blocks> {
  return {
    kind: "drawn-bytes",
    options: { seed, blocks },
    splits: ({ channels }: SplitRequest) =>
      Array.from({ length: channels }, (_, part) => ({
        first: Math.floor((blocks * part) / channels),
        end: Math.floor((blocks * (part + 1)) / channels),
      })),
    *read({ first, end }) {
      for (let block = first; block < end; block++) yield { block, bytes: drawBytes(seed, block) };
    },
  };
}

/** A sink that takes `bytesPerMs`, and waits if it is given more. */
function slowDigest(bytesPerMs: number): OutputSink<ByteBlock, Received> {
  return {
    kind: "slow-digest",
    options: { bytesPerMs },
    guarantee: "idempotent",
    placement: "per-slot",
    open() {
      let blocks = 0;
      let digest = 0;
      let due = performance.now();
      return {
        async write(objects) {
          for (const object of objects) digest += digestOf(object);
          blocks += objects.length;
          due = Math.max(due, performance.now() - 1000) + (objects.length * blockBytes) / bytesPerMs;
          const early = due - performance.now();
          if (early > 1) await sleep(early);
        },
        done: () => ({ bytes: blocks * blockBytes, digest }),
      };
    },
    result: (parts) =>
      (parts as readonly Received[]).reduce((all, part) => ({
        bytes: all.bytes + part.bytes,
        digest: all.digest + part.digest,
      })),
  };
}

/** Bytes from readers through an exchange by hash into sinks that are slower. */
export const slowSink = defineFlow(import.meta.url, (q, args: { seed: number; blocks: number; bytesPerMs: number }) => {
  const blocks = q.read("bytes", drawnBytes(args.seed, args.blocks)).partition(hash("block"));
  return { received: blocks.to(slowDigest(args.bytesPerMs)) };
});
