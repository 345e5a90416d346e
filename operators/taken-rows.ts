import type { DataFrame } from "nodejs-polars";
import { type BatchSupport, loadPolars, representationOf } from "../lib/core/batch/index.ts";
import type { Deal } from "../lib/core/contracts/operator.ts";
import { groupOfHash } from "../lib/core/key.ts";
import type { Payload } from "../lib/core/payload.ts";

/**
 * Of encoded batches the rows whose keys are taken, encoded again. Of several batches at least one is left, if without rows:
 * it tells the columns.
 *
 * @throws QStreamError UNSUPPORTED for columns that `hash` doesn't take as keys
 */
export function takenRows(
  payloads: readonly Payload[],
  names: readonly string[],
  deal: Deal,
  support: BatchSupport,
): Payload[] {
  const taken = payloads.map((payload) => takenOf(payload, names, deal, support));
  const filled = taken.filter(({ rows }) => rows > 0);
  return filled.length > 0 ? filled : taken.slice(0, 1);
}

/** Rows of encoded batches. */
export function rowsOf(payloads: readonly Payload[]): number {
  return payloads.reduce((sum, { rows }) => sum + rows, 0);
}

function takenOf(payload: Payload, names: readonly string[], deal: Deal, support: BatchSupport): Payload {
  const batch = support.decode(payload);
  const frame = representationOf(batch) === "polars" ? (batch as DataFrame) : undefined;
  // Columns that aren't keys stay what they are: some types of a frame have no counterpart in an Arrow table.
  const hashes = support.view(frame?.select(...names) ?? batch).hashRows(names);
  const isTaken = Array.from(hashes, (hash) => deal.takesGroup(groupOfHash(hash)));
  const rows = isTaken.reduce((sum, taken) => sum + (taken ? 1 : 0), 0);
  if (rows === isTaken.length) return payload;
  if (rows === 0) return support.encode(support.slice(batch, 0, 0));
  if (frame !== undefined) return support.encode(frame.filter(loadPolars().Series("taken", isTaken) as never));
  return support.encode(support.gather(batch, Uint16Array.from(isTaken, Number), 2)[1]);
}
