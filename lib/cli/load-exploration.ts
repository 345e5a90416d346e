import { QStreamError } from "../core/errors.ts";
import type { Exploration, FlowExploration } from "../testing/explore/index.ts";
import { exportOf, loadModule } from "./load-module.ts";

/**
 * Imports the exploration that `path` or `path#export` names.
 *
 * @throws QStreamError PATH_NOT_FOUND without such a module, FLOW_NOT_FOUND where it exports none, or not that one
 */
export async function loadExploration(text: string): Promise<Exploration | FlowExploration<never>> {
  const { path, name } = exportOf(text);
  const { isExploration, isFlowExploration } = await import("../testing/explore/index.ts");
  const isOne = (value: unknown): value is Exploration | FlowExploration<never> =>
    isExploration(value) || isFlowExploration(value);
  const module = await loadModule(path, () => import("../testing/explore/index.ts"));
  const found = Object.hasOwn(module, name) ? module[name] : undefined;
  if (isOne(found)) return found;
  const names = Object.keys(module).filter((key) => isOne(module[key]));
  const wanted = name === "default" ? "default export that is an exploration" : `exploration "${name}"`;
  throw new QStreamError("FLOW_NOT_FOUND", `${path} has no ${wanted}`, {
    advice:
      names.length === 0
        ? "Write: export default defineExploration(import.meta.url, { start(world) { ... } }), or defineFlowExploration(import.meta.url, { flow })"
        : `It has: ${names.map((key) => `${path}${key === "default" ? "" : `#${key}`}`).join(", ")}`,
  });
}
