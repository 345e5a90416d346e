/** Sums by key in the order of keys, which channels don't promise. */
export function byKey<T extends { readonly k: number }>(sums: readonly T[]): T[] {
  return [...sums].sort((left, right) => left.k - right.k);
}
