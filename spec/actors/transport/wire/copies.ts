/** Bytes that are copied in this thread while something runs. */
export async function countCopied(run: () => Promise<void>): Promise<number> {
  let copied = 0;
  const note = (result: unknown, given: unknown): void => {
    const { byteLength } = (given ?? result) as { readonly byteLength?: number };
    copied += byteLength ?? 0;
  };
  const typed = Object.getPrototypeOf(Uint8Array.prototype) as object;
  const undo = [
    spyOn(typed, "set", (_, [given]) => note(undefined, given)),
    spyOn(typed, "slice", (result) => note(result, undefined)),
    spyOn(ArrayBuffer.prototype, "slice", (result) => note(result, undefined)),
    spyOn(Buffer, "from", (result) => note(result, undefined)),
    spyOn(Buffer, "concat", (result) => note(result, undefined)),
    spyOn(Buffer.prototype, "copy", (result) => (copied += Number(result))),
  ];
  try {
    await run();
  } finally {
    for (const one of undo) one();
  }
  return copied;
}

function spyOn(object: object, name: string, called: (result: unknown, given: readonly unknown[]) => void): () => void {
  const spied = object as Record<string, (...given: unknown[]) => unknown>;
  const original = spied[name];
  spied[name] = function spy(this: unknown, ...given: unknown[]): unknown {
    const result = original?.apply(this, given);
    called(result, given);
    return result;
  };
  return () => void (spied[name] = original as (typeof spied)[string]);
}
