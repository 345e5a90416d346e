import { inspect } from "node:util";
import { cellFlag, type Cell } from "../cell.ts";
import type { ActorNode } from "../node.ts";
import type { Reference } from "../reference.ts";
import type { NodeService } from "./node-link.ts";

/** An actor in a list. */
export interface ListedActor extends ActorFacts {
  readonly reference: Reference;
}

/** What a list says of an actor, for people. */
export interface ActorFacts {
  readonly kind: string;
  readonly label: string;
  /** Messages in its mailbox. */
  readonly waiting: number;
  readonly handled: number;
  readonly restarts: number;
  readonly state: "idle" | "ready" | "waits" | "held" | "stopping";
}

export interface ListQuery {
  readonly kind?: string | undefined;
  readonly most: number;
}

const textMax = 20_000;
const mailboxMost = 20;

/** What people may ask of a node. */
export function viewServices(node: () => ActorNode): Readonly<Record<string, NodeService>> {
  return {
    metrics: () => node().metrics.counts(),
    list: (query: ListQuery) => listOf(node(), query),
    called: (label: string) => calledSo(node(), label),
    inspect: (actor: Reference) => inspected(node().locate(actor)),
  };
}

function listOf(node: ActorNode, { kind, most }: ListQuery): ListedActor[] {
  const listed: ListedActor[] = [];
  for (const cell of node.living()) {
    if (kind !== undefined && cell.definition.kind !== kind) continue;
    if (listed.length >= most) break;
    const { label, waiting, handled, restarts } = cell;
    const reference = cell.self as Reference;
    listed.push({ reference, kind: cell.definition.kind, label, waiting, handled, restarts, state: stateOf(cell) });
  }
  return listed;
}

/** The actor that lists show by this label. */
function calledSo(node: ActorNode, label: string): Reference | undefined {
  for (const cell of node.living()) if (cell.label === label) return cell.self as Reference;
  return undefined;
}

function stateOf({ flags }: Cell): ListedActor["state"] {
  if ((flags & cellFlag.stopping) !== 0) return "stopping";
  if ((flags & cellFlag.held) !== 0) return "held";
  if ((flags & (cellFlag.suspended | cellFlag.backingOff | cellFlag.unnamed)) !== 0) return "waits";
  return (flags & (cellFlag.ready | cellFlag.running)) === 0 ? "idle" : "ready";
}

/** The state and the mailbox of an actor as text, within limits; undefined where it isn't here. */
function inspected(cell: Cell | undefined): string | undefined {
  if (cell === undefined || (cell.flags & cellFlag.ended) !== 0) return undefined;
  const options = { depth: 6, maxArrayLength: 50, maxStringLength: 1000, breakLength: 120, getters: false } as const;
  const mailbox: string[] = [];
  for (let envelope = cell.head; envelope !== undefined && mailbox.length < mailboxMost; envelope = envelope.next) {
    mailbox.push(`  ${envelope.name} ${inspect(envelope.payload, { ...options, depth: 2 })}`);
  }
  const more = cell.waiting > mailbox.length ? [`  and ${cell.waiting - mailbox.length} more`] : [];
  const lines = [
    `${cell.label} (${cell.definition.kind}), ${stateOf(cell)}`,
    `handled ${cell.handled}, restarts ${cell.restarts}, mode ${cell.extras?.mode ?? "none"}`,
    `state ${inspect(cell.state, options)}`,
    `mailbox ${cell.waiting}`,
    ...mailbox,
    ...more,
  ];
  return lines.join("\n").slice(0, textMax);
}
