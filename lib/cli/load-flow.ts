import type { Flow } from "../flow/define-flow.ts";
import { loadExport } from "./load-module.ts";

type AnyFlow = Flow<object, Record<string, unknown>>;

/**
 * Imports the flow that `path` or `path#export` names.
 *
 * @throws QStreamError PATH_NOT_FOUND without such a module, FLOW_NOT_FOUND where it has no such flow or can't be compiled;
 *   and what the module itself throws when it is loaded
 */
export function loadFlow(text: string): Promise<AnyFlow> {
  return loadExport(text, {
    isOne: isFlow,
    kind: "flow",
    example: "export default defineFlow(import.meta.url, (q, args) => ...)",
    // What every flow needs loads while a TypeScript module is being bundled.
    meanwhile: () => import("../flow/define-flow.ts"),
  });
}

function isFlow(value: unknown): value is AnyFlow {
  const flow = value as Partial<AnyFlow> | undefined;
  return (
    typeof flow === "object" && flow !== null && typeof flow.run === "function" && typeof flow.explain === "function"
  );
}
