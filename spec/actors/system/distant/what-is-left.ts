import { Session } from "node:inspector";
import type { JoinedNode } from "./joined-nodes.ts";

interface Property {
  readonly name: string;
  readonly value?: { readonly description?: string; readonly objectId?: string };
}

/** What a node keeps in private: what is found below an object by the names of private fields, "#routes.#ways" say. */
type Kept = readonly (readonly [what: string, of: object, path: string])[];

function keptBy({ node, distant, topics }: JoinedNode): Kept {
  return [
    ["questions asked of other nodes", distant.asks, "#pending"],
    ["watchers by the lives that they watch", node.watches, "#byLife"],
    ["children of actors elsewhere", distant.families, "#children"],
    ["what waits for actors to come", distant.families.awaited, "#waiting"],
    ["full mailboxes elsewhere", distant.full, "#full"],
    ["actors held by full mailboxes", distant.full, "#held"],
    ["full mailboxes here", distant.full, "#told"],
    ["names that are at home", distant.names, "#home"],
    ["names", distant.names, "#own.#actors"],
    ["topics that are at home", topics, "#home"],
    ["topics that are subscribed to", topics, "#subscribed"],
    ["subscribers", topics, "#local.#subscribers"],
    ["what waits for hosts", distant, "#routes.#homeless"],
    ["ways to be flushed", distant, "#routes.#dirty"],
    ["entities", node.entities, "#cells"],
    ["mail for entities' next lives", node.entities, "#next"],
    ["actors that others know", node, "#known"],
  ];
}

/** What nodes keep that is of no use any more. Reads private fields, which nothing else tells. */
export function whatIsLeft(nodes: readonly JoinedNode[]): string[] {
  const session = new Session();
  session.connect();
  try {
    return nodes.flatMap((joined) => {
      const left = keptBy(joined).flatMap(([what, of, path]) => {
        const size = sizeOf(session, idOf(session, of), path.split("."));
        return size === 0 ? [] : [`node ${joined.node.life} keeps ${size} of ${what}`];
      });
      return left;
    });
  } finally {
    session.disconnect();
  }
}

function idOf(session: Session, value: object): string {
  const holder = globalThis as { lookedAt?: object };
  holder.lookedAt = value;
  let id = "";
  session.post(
    "Runtime.evaluate",
    { expression: "globalThis.lookedAt" },
    (_, { result }) => (id = result.objectId ?? ""),
  );
  delete holder.lookedAt;
  return id;
}

function sizeOf(session: Session, objectId: string, [name = "", ...below]: readonly string[]): number {
  let fields: readonly Property[] = [];
  session.post("Runtime.getProperties", { objectId, ownProperties: true }, (_, answer) => {
    fields = (answer as { privateProperties?: Property[] }).privateProperties ?? [];
  });
  const value = fields.find((field) => field.name === name)?.value;
  if (value === undefined) throw new Error(`there is no field ${name}`);
  if (below.length > 0) return sizeOf(session, value.objectId ?? "", below);
  const size = /^(?:Map|Set)\((\d+)\)$/u.exec(value.description ?? "")?.[1];
  if (size === undefined) throw new Error(`${name} is ${value.description}`);
  return Number(size);
}
