import { QStreamError } from "../core/errors.ts";
import { watchingClock } from "../core/seam/tripwire.ts";
import type { Graph } from "./graph.ts";

interface Built {
  readonly graph: Graph;
}

/**
 * Builds a flow twice and compares: a builder that reads the clock, randomness, argv or a global that changes would make
 * other steps in other slots. While it runs, the clock and randomness are watched, since what a function captured of them
 * shows in no fingerprint; the second time argv is empty.
 */
export function checkPurity<T extends Built>(flow: string, build: () => T): T {
  const first = watched(flow, build);
  const kept = process.argv;
  process.argv = kept.slice(0, 1);
  let second: T;
  try {
    second = watched(flow, build);
  } catch (error) {
    if (error instanceof QStreamError && error.code === "BUILDER_IMPURE") throw error;
    throw impure(flow, "it failed when it was run a second time, without argv", error);
  } finally {
    process.argv = kept;
  }
  const [before, after] = [first.graph.fingerprint(), second.graph.fingerprint()];
  if (before !== after)
    throw impure(
      flow,
      `it built two different flows from the same arguments (${before}, then ${after}${difference(first.graph, second.graph)})`,
    );
  return first;
}

function watched<T>(flow: string, build: () => T): T {
  return watchingClock((what) => {
    throw impure(flow, `it called ${what}`);
  }, build);
}

function difference(first: Graph, second: Graph): string {
  const ids = (graph: Graph): string[] => graph.steps.map((step) => step.id);
  const changed = ids(first).find((id, index) => ids(second)[index] !== id);
  return changed === undefined ? "" : `; the first step that differs is "${changed}"`;
}

function impure(flow: string, how: string, cause?: unknown): QStreamError {
  return new QStreamError("BUILDER_IMPURE", `the builder of flow "${flow}" isn't pure: ${how}`, {
    advice:
      "It runs again in every slot and must build the same there: pass what varies as arguments, and take time and randomness from ctx in functions",
    cause,
  });
}
