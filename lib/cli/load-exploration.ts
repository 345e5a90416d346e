import { isExploration, isFlowExploration, type Exploration, type FlowExploration } from "../testing/explore/index.ts";
import { loadExport } from "./load-module.ts";

/**
 * Imports the exploration that `path` or `path#export` names.
 *
 * @throws QStreamError PATH_NOT_FOUND without such a module, FLOW_NOT_FOUND where it exports none, or not that one
 */
export function loadExploration(text: string): Promise<Exploration | FlowExploration<never>> {
  return loadExport(text, {
    isOne: (value): value is Exploration | FlowExploration<never> => isExploration(value) || isFlowExploration(value),
    kind: "exploration",
    example:
      "export default defineExploration(import.meta.url, { start(world) { ... } }), or defineFlowExploration(import.meta.url, { flow })",
  });
}
