import { anomalyOf, type Anomaly, type AnomalyName, type Dependency } from "./anomaly.ts";
import { componentsOf } from "./components.ts";
import type { TransactionCall } from "./transaction.ts";

type Kind = Dependency["kind"];

/** A class of cycles: one has a dependency of the kind `by`, from whose end others of the kinds `back` lead to its begin. */
interface CycleClass {
  readonly by: Kind;
  readonly back: readonly Kind[];
}

// In the order of G0, G1c, G-single and G2: where there is none of a class, what the next one finds is of that.
const classes: readonly CycleClass[] = [
  { by: "ww", back: ["ww"] },
  { by: "wr", back: ["ww", "wr"] },
  { by: "rw", back: ["ww", "wr"] },
  { by: "rw", back: ["ww", "wr", "rw"] },
];

// A short cycle is easier to read, but finding the shortest of all takes long where there are thousands.
const cyclesCompared = 200;
const visitsMax = 20_000_000;

/**
 * Finds a short cycle of each class. Cycles that need real time are looked for where there is none without.
 *
 * @param realTime - dependencies of real time, if they count
 */
export function findCycles(dependencies: readonly Dependency[], realTime: readonly Dependency[]): Anomaly[] {
  const found = cyclesOf(dependencies, []);
  return found.length > 0 || realTime.length === 0 ? found : cyclesOf([...dependencies, ...realTime], ["realtime"]);
}

function cyclesOf(dependencies: readonly Dependency[], also: readonly Kind[]): Anomaly[] {
  const found = new Map<AnomalyName, Anomaly>();
  for (const { by, back } of classes) {
    const cycle = shortCycle(dependencies, by, [...back, ...also]);
    if (cycle === undefined) continue;
    const name = nameOf(cycle);
    if (found.has(name)) continue;
    const transactions = cycle.map(({ from }) => from);
    const reasons = cycle.map(({ from, kind, to, reason }) => `#${from.call} -${kind}-> #${to.call}: ${reason}`);
    found.set(name, anomalyOf(name, transactions, reasons, cycle));
  }
  return [...found.values()];
}

function nameOf(cycle: readonly Dependency[]): AnomalyName {
  const count = (kind: Kind): number => cycle.filter((each) => each.kind === kind).length;
  const name = count("rw") > 1 ? "G2" : count("rw") === 1 ? "G-single" : count("wr") > 0 ? "G1c" : "G0";
  return count("realtime") > 0 ? `${name}-realtime` : name;
}

/** A cycle of a dependency of one kind and a way back, the shortest of those that are compared. */
function shortCycle(
  dependencies: readonly Dependency[],
  by: Kind,
  back: readonly Kind[],
): readonly Dependency[] | undefined {
  const own = edgesOf(dependencies.filter(({ kind }) => kind === by || back.includes(kind)));
  const component = componentsOf(new Map([...own].map(([from, edges]) => [from, edges.map(({ to }) => to)])));
  const inside = dependencies.filter(
    ({ from, to }) => component.get(from) === component.get(to) && component.has(from),
  );
  const ways = edgesOf(inside.filter(({ kind }) => back.includes(kind)));
  let [shortest, compared, visits]: [readonly Dependency[] | undefined, number, number] = [undefined, 0, 0];
  for (const first of inside) {
    if (first.kind !== by || compared >= cyclesCompared || visits >= visitsMax) continue;
    const found = wayBack(ways, first.to, first.from);
    visits += found.visits;
    if (found.way === undefined) continue;
    compared += 1;
    if (shortest === undefined || found.way.length + 1 < shortest.length) shortest = [first, ...found.way];
    if (shortest.length === 2) break;
  }
  return shortest;
}

function edgesOf(dependencies: readonly Dependency[]): ReadonlyMap<TransactionCall, readonly Dependency[]> {
  const edges = new Map<TransactionCall, Dependency[]>();
  for (const dependency of dependencies) {
    const own = edges.get(dependency.from);
    if (own === undefined) edges.set(dependency.from, [dependency]);
    else own.push(dependency);
  }
  return edges;
}

/** The shortest way from one transaction to another, breadth first. */
function wayBack(
  ways: ReadonlyMap<TransactionCall, readonly Dependency[]>,
  from: TransactionCall,
  to: TransactionCall,
): { readonly way: readonly Dependency[] | undefined; readonly visits: number } {
  const by = new Map<TransactionCall, Dependency | undefined>([[from, undefined]]);
  let visits = 0;
  for (const at of by.keys()) {
    for (const edge of ways.get(at) ?? []) {
      visits += 1;
      if (by.has(edge.to)) continue;
      by.set(edge.to, edge);
      if (edge.to !== to) continue;
      const way: Dependency[] = [];
      for (let last = by.get(to); last !== undefined; last = by.get(last.from)) way.unshift(last);
      return { way, visits };
    }
  }
  return { way: undefined, visits };
}
