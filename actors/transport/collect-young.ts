import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

type Collect = (options: { readonly type: "minor" }) => void;

// A collection of what is young takes a fraction of a millisecond. The engine looks through all of a small heap for each 30 MB.
const collectEveryBytes = 8 * 2 ** 20;

let collect: Collect | undefined;
let bytesCame = 0;

/**
 * To be called with the bytes of buffers that came from another thread. The engine counts them as pressure on this thread's heap,
 * but collects what died young only when this thread allocates buffers of its own: it would look through the whole heap
 * instead, again and again. So buffers that die young are collected here.
 */
export function collectYoung(bytes: number): void {
  bytesCame += bytes;
  if (bytesCame < collectEveryBytes) return;
  bytesCame = 0;
  collect ??= exposedCollector();
  collect({ type: "minor" });
}

function exposedCollector(): Collect {
  setFlagsFromString("--expose-gc");
  const exposed: unknown = runInNewContext("typeof gc === 'function' ? gc : undefined");
  setFlagsFromString("--no-expose-gc");
  return typeof exposed === "function" ? (exposed as Collect) : () => {};
}
