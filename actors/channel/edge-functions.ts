import { representationOf } from "../../lib/core/batch/index.ts";
import type { MadeLoop, Router } from "../../lib/core/contracts/partition.ts";
import { callOnEdge } from "../../lib/core/edge-call.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import type { EdgeContext, EdgeFunction } from "../../lib/core/program.ts";
import type { OutgoingLink } from "./outgoing-link.ts";
import { watched } from "./strict-input.ts";

/** Objects of a task from which on it is worth to make and to route them in one pass. */
const madeMin = 64;

/** One edge as its producing channel sees it. */
export interface OutgoingEdge {
  readonly index: number;
  readonly port: string;
  readonly before: EdgeFunction | undefined;
  readonly router: Router<never>;
  readonly links: readonly OutgoingLink[];
}

/** What a task sends on one edge, once the functions on it have run. */
export interface EdgeObjects {
  readonly edge: OutgoingEdge;
  /** Where they were routed while they were made, just the first one. */
  readonly objects: readonly unknown[];
  readonly routed?: { readonly count: number; readonly targets: readonly unknown[][] };
}

interface FunctionNode {
  readonly function: EdgeFunction | undefined;
  /** The function and the partition function behind it in one pass, where that is all there is. */
  made: MadeLoop | undefined;
  readonly next: FunctionNode[];
  readonly edges: OutgoingEdge[];
}

/**
 * The functions on a channel's outgoing edges: a tree for each port, with edges at its leaves. Edges that share functions run
 * them once.
 */
export class EdgeFunctions {
  readonly #trees = new Map<string, FunctionNode>();
  readonly #strict: boolean;
  /** Most links of one edge. */
  readonly fanOut: number;

  constructor(edges: readonly OutgoingEdge[], strict: boolean) {
    this.#strict = strict;
    for (const edge of edges) this.#add(edge);
    // What is watched for changes must be there as a whole.
    if (!strict) for (const tree of this.#trees.values()) setMade(tree);
    this.fanOut = edges.reduce((widest, { links }) => Math.max(widest, links.length), 1);
  }

  /** Runs the functions on the edges of a port. */
  apply(port: string, objects: readonly unknown[], ctx: EdgeContext): EdgeObjects[] {
    const made: EdgeObjects[] = [];
    const tree = this.#trees.get(port);
    if (tree !== undefined && objects.length > 0) this.#walk(tree, objects, ctx, made);
    return made;
  }

  #add(edge: OutgoingEdge): void {
    let root = this.#trees.get(edge.port);
    if (root === undefined) {
      root = { function: undefined, next: [], edges: [], made: undefined };
      this.#trees.set(edge.port, root);
    }
    const chain: EdgeFunction[] = [];
    for (let at = edge.before; at !== undefined; at = at.previous) chain.unshift(at);
    let node = root;
    for (const step of chain) {
      let next = node.next.find((candidate) => candidate.function === step);
      if (next === undefined) {
        next = { function: step, next: [], edges: [], made: undefined };
        node.next.push(next);
      }
      node = next;
    }
    node.edges.push(edge);
  }

  #walk(node: FunctionNode, objects: readonly unknown[], ctx: EdgeContext, made: EdgeObjects[]): void {
    if (node.made !== undefined && this.#makeRouted(node, node.made, objects, ctx, made)) return;
    const applied = node.function === undefined ? objects : applyFunction(node.function, objects, ctx, this.#strict);
    if (applied.length === 0) return;
    for (const edge of node.edges) made.push({ edge, objects: applied });
    for (const next of node.next) this.#walk(next, applied, ctx, made);
  }

  /** Makes and routes objects in one pass. False, with nothing done, if there are too few of them. */
  #makeRouted(
    node: FunctionNode,
    loop: MadeLoop,
    objects: readonly unknown[],
    ctx: EdgeContext,
    made: EdgeObjects[],
  ): boolean {
    const { function: step, edges } = node;
    const [edge] = edges;
    const each = step?.apply.each;
    if (step === undefined || edge === undefined || each === undefined || objects.length < madeMin) return false;
    const [first] = applyFunction(step, objects.slice(0, 1), ctx, false);
    if (representationOf(first) !== undefined) {
      made.push({ edge, objects: [first, ...applyFunction(step, objects.slice(1), ctx, false)] });
      return true;
    }
    const targets: unknown[][] = edge.links.map(() => []);
    const making = { each, ctx, first, failed: (error: unknown) => functionError(step, error) };
    callOnEdge(step, () => loop(objects, making, targets));
    made.push({ edge, objects: [first], routed: { count: objects.length, targets } });
    return true;
  }
}

/** Runs one edge function; what it throws names it. */
export function applyFunction(
  step: EdgeFunction,
  objects: readonly unknown[],
  ctx: EdgeContext,
  strict: boolean,
): readonly unknown[] {
  try {
    const apply = (): readonly unknown[] => callOnEdge(step, () => step.apply(objects, ctx));
    return strict ? (watched(`${step.kind} "${step.id}"`, objects, apply) as readonly unknown[]) : apply();
  } catch (error) {
    throw functionError(step, error);
  }
}

function functionError(step: EdgeFunction, error: unknown): QStreamError {
  if (error instanceof QStreamError) return error;
  return new QStreamError("STEP_FAILED", `${step.kind} "${step.id}" threw: ${messageOf(error)}`, { cause: error });
}

/** Finds functions that are the last ones before the one partition function which takes what they make. */
function setMade(node: FunctionNode): void {
  const [edge] = node.edges;
  const each = node.function?.apply.each;
  if (each !== undefined && edge !== undefined && node.edges.length === 1 && node.next.length === 0) {
    node.made = edge.router.made?.(each);
  }
  node.next.forEach(setMade);
}

/** How many objects the functions made of each, at least one. */
export function expansionOf(made: readonly EdgeObjects[], objects: number): number {
  let most = objects;
  for (const edge of made) most = Math.max(most, edge.routed?.count ?? edge.objects.length);
  return most / objects;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
