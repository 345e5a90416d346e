import type { ExecutionStatus, LineageStore } from "../core/contracts/lineage-store.ts";

/**
 * The head sees to what is kept of an execution, once its end is kept: until then another driver could go on with it.
 *
 * @param isChanging - true while its channels change, and others take the place of what is kept
 */
export function withoutEnds(store: LineageStore, isChanging: () => boolean): LineageStore {
  return new Proxy(store, {
    get(target, name): unknown {
      if (name === "drop") {
        return async (execution: string) => {
          if (isChanging()) await target.drop(execution);
        };
      }
      if (name === "setStatus") {
        return async (execution: string, status: ExecutionStatus) => {
          if (status === "running") await target.setStatus(execution, status);
        };
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}
