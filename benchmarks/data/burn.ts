/** Work for the processor alone: mixes a number `iterations` times. */
export function burn(value: number, iterations: number): number {
  let mixed = value | 0;
  for (let at = 0; at < iterations; at++) mixed = (Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d) + at) | 0;
  return mixed & 0xffff;
}

/** How many iterations take about `microseconds` on this machine: the fastest of several tries. */
export function iterationsOf(microseconds: number): number {
  const calls = 2000;
  const iterations = 1000;
  let fastest = Infinity;
  let kept = 0;
  for (let attempt = 0; attempt < 30; attempt++) {
    const from = performance.now();
    for (let call = 0; call < calls; call++) kept ^= burn(call + attempt, iterations);
    fastest = Math.min(fastest, performance.now() - from);
  }
  const perIteration = (fastest * 1000) / (calls * iterations);
  // `kept` is used, so that the loop can't be left out; it never changes the result.
  return Math.max(1, Math.round(microseconds / perIteration)) + (kept > 0xffff ? 1 : 0);
}
