import type { Example } from "./parameter-server.ts";

/** Points on both sides of a line, with some noise; the first feature is always 1. The same for a seed. */
export function seededExamples(count: number, seed: number): readonly Example[] {
  let state = seed;
  const random = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return Array.from({ length: count }, () => {
    const x = 4 * random() - 2;
    const y = 4 * random() - 2;
    const noise = 0.2 * (random() - 0.5);
    return { features: [1, x, y], label: 2 * x - y + 0.5 + noise > 0 ? (1 as const) : (0 as const) };
  });
}
