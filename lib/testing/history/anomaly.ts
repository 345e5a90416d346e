import { callText, block } from "./print-order.ts";
import type { TransactionCall } from "./transaction.ts";

/**
 * What transactions did that no order of them explains, by the names of Adya and of Elle:
 *
 * - `garbage read`, `duplicate elements`, `incompatible order`: reads show what nobody can have made;
 * - `internal`: a transaction's reads disagree with its own steps;
 * - `G1a`, `G1b`: a read shows what a transaction left that failed, or that went on to append;
 * - `G0`, `G1c`, `G-single`, `G2`: a cycle of dependencies: of writes only; also of reads of what was written; with one
 *   read of what was changed afterwards; with several;
 * - the same with `-realtime`: the cycle is only one because a transaction ended before another began;
 * - `no order`: a search found none, of transactions on registers.
 */
export type AnomalyName =
  | "garbage read"
  | "duplicate elements"
  | "incompatible order"
  | "internal"
  | "G1a"
  | "G1b"
  | "G0"
  | "G1c"
  | "G-single"
  | "G2"
  | "G0-realtime"
  | "G1c-realtime"
  | "G-single-realtime"
  | "G2-realtime"
  | "no order";

/** One transaction comes before another: ww, it wrote the version before; wr, the other read what it wrote; rw, the other changed what it read. */
export interface Dependency {
  readonly from: TransactionCall;
  readonly to: TransactionCall;
  readonly kind: "ww" | "wr" | "rw" | "realtime";
  /** Why, as people read it. */
  readonly reason: string;
}

export interface Anomaly {
  readonly name: AnomalyName;
  readonly transactions: readonly TransactionCall[];
  /** The cycle, where it is one: each dependency begins where the one before ends. */
  readonly cycle?: readonly Dependency[];
  readonly text: string;
}

/** An anomaly with its text. */
export function anomalyOf(
  name: AnomalyName,
  transactions: readonly TransactionCall[],
  reasons: readonly string[],
  cycle?: readonly Dependency[],
): Anomaly {
  const text = [
    name,
    ...block(
      "  transactions:",
      transactions.map((call) => `  ${callText(call)}`),
    ),
    ...block(
      "  because:",
      reasons.map((each) => `  ${each}`),
    ),
  ].join("\n");
  return { name, transactions, text, ...(cycle === undefined ? {} : { cycle }) };
}
