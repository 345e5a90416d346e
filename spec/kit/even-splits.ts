/** Runs of the numbers below a count, as even as can be. */
export function evenSplits(count: number, splits: number): { readonly from: number; readonly to: number }[] {
  return Array.from({ length: splits }, (_, split) => ({
    from: Math.floor((count / splits) * split),
    to: Math.floor((count / splits) * (split + 1)),
  }));
}
