import { QStreamError } from "../core/errors.ts";
import type { Flow } from "../flow/define-flow.ts";
import { exportOf, loadModule } from "./load-module.ts";

type AnyFlow = Flow<object, Record<string, unknown>>;

/**
 * Imports the flow that `path` or `path#export` names.
 *
 * @throws QStreamError PATH_NOT_FOUND without such a module, FLOW_NOT_FOUND where it has no such flow or can't be compiled;
 *   and what the module itself throws when it is loaded
 */
export async function loadFlow(text: string): Promise<AnyFlow> {
  const { path, name } = exportOf(text);
  // What every flow needs loads while a TypeScript module is being bundled.
  const module = await loadModule(path, () => import("../flow/define-flow.ts"));
  const flow = Object.hasOwn(module, name) ? module[name] : undefined;
  if (isFlow(flow)) return flow;
  const flows = Object.keys(module).filter((key) => isFlow(module[key]));
  const wanted = name === "default" ? "default export that is a flow" : `flow "${name}"`;
  throw new QStreamError("FLOW_NOT_FOUND", `${path} has no ${wanted}`, {
    advice:
      flows.length === 0
        ? "Write: export default defineFlow(import.meta.url, (q, args) => ...)"
        : `It has: ${flows.map((key) => `${path}${key === "default" ? "" : `#${key}`}`).join(", ")}`,
  });
}

export function isFlow(value: unknown): value is AnyFlow {
  const flow = value as Partial<AnyFlow> | undefined;
  return (
    typeof flow === "object" && flow !== null && typeof flow.run === "function" && typeof flow.explain === "function"
  );
}
