/**
 * Has suites wait that are loaded from now on: uvu begins otherwise as soon as the first is there, and specs which wait for something
 * while they are loaded would come too late. To be called before uvu is loaded.
 *
 * @returns what has them begin
 */
export function beginLater(): () => Promise<void> {
  const shared = globalThis as { UVU_DEFER?: boolean; UVU_QUEUE?: unknown[][] };
  shared.UVU_DEFER = true;
  shared.UVU_QUEUE = [[null]];
  return async () => {
    const { exec } = await import("uvu");
    await exec();
  };
}
