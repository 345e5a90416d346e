/**
 * Runs a synchronous function with tripwires on the clock and on randomness: `refuse` is called with the name of what it
 * touched, and throws.
 */
export function watchingClock<T>(refuse: (what: string) => never, body: () => T): T {
  const realDate = Date;
  const realRandom = Math.random;
  const realNow = performance.now.bind(performance);
  globalThis.Date = new Proxy(realDate, {
    construct: (target, args: unknown[]) =>
      args.length === 0 ? refuse("new Date()") : (Reflect.construct(target, args) as object),
    apply: () => refuse("Date()"),
    get: (target, property, receiver) =>
      property === "now" ? () => refuse("Date.now()") : (Reflect.get(target, property, receiver) as unknown),
  });
  Math.random = () => refuse("Math.random()");
  performance.now = () => refuse("performance.now()");
  try {
    return body();
  } finally {
    globalThis.Date = realDate;
    Math.random = realRandom;
    performance.now = realNow;
  }
}
