import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

type Collect = (options: { readonly type: "minor" }) => void;

// A collection of what is young takes a fraction of a millisecond. The engine looks through all of a small heap for each 30 MB.
const collectEveryBytes = 8 * 2 ** 20;

let collect: Collect | undefined;
let bytesCame = 0;

/**
 * To be called with the bytes of buffers that came from another thread, or that nobody needs any more. The engine counts buffers as
 * pressure on this thread's heap, and looks through the whole of a small heap for each few of them, before what died young is
 * collected. So that is done here.
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
