import { Envelope } from "../envelope.ts";
import type { ActorNode } from "../node.ts";
import type { DistantAsks } from "./distant-asks.ts";
import { isQuestion, rowKind, type MessageRows } from "./message-rows.ts";
import type { RowEvents } from "./take-batch.ts";

interface Joined {
  readonly node: ActorNode;
  readonly asks: DistantAsks;
}

interface Lanes extends Pick<RowEvents, "kept"> {
  /** Tells who asked that the answer can't travel. */
  readonly refuse: (name: string, ask: number, error: Error) => void;
}

/** What becomes of messages that don't leave their node: they are dead letters, and who asked is told. */
export class UnsentRows implements RowEvents {
  readonly kept: RowEvents["kept"];
  readonly #joined: Joined;
  readonly #refuse: Lanes["refuse"];

  constructor(joined: Joined, { kept, refuse }: Lanes) {
    this.#joined = joined;
    this.kept = kept;
    this.#refuse = refuse;
  }

  actors(): number {
    return this.#joined.node.size;
  }

  refused(rows: MessageRows, row: number, error: unknown): void {
    const { node, asks } = this.#joined;
    const cause = error instanceof Error ? error : new Error(String(error));
    const kind = rows.kinds[row];
    const [name = "", to = "an actor of another slot"] = [rows.names[row], rows.targets[row]?.label];
    if (isQuestion(kind)) asks.refused(rows.asks[row] ?? 0, cause);
    else if (kind === rowKind.answer) this.#refuse(name, rows.ids[row] ?? 0, cause);
    node.metrics.deadLetters++;
    node.event({ kind: "dead-letter", to, message: name, why: "cannot-travel", error: cause });
  }

  /** What waited for a node that is lost isn't sent any more. */
  lost(rows: MessageRows, row: number): void {
    const { node, asks } = this.#joined;
    const kind = rows.kinds[row];
    if (kind !== rowKind.tell && kind !== rowKind.ask) return;
    // Those that asked hear of the loss themselves.
    const reply = asks.replyOf(rows.asks[row] ?? 0);
    const envelope = new Envelope(rows.names[row] ?? "", undefined, undefined, reply);
    node.deadLetter(rows.targets[row]?.label ?? "", envelope, "lost");
  }
}
