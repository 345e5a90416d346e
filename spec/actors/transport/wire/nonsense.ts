import * as assert from "uvu/assert";
import { readMessage, readStart, encodeWireMessage } from "../../../../actors/transport/wire/wire-message.ts";
import { Refusal, Refusals } from "../../../../actors/transport/wire/refusal.ts";
import { seededRandom } from "../../../../lib/core/seam/random.ts";
import { parcelOf } from "../../../contract/transport.ts";

/** Reads so many damaged messages, and asserts that each is refused; returns how often for which reason. */
export function readNonsense(count: number, seed: number): Refusals {
  const random = seededRandom(seed);
  const whole = (below: number): number => Math.floor(random() * below);
  const samples = [
    encodeWireMessage(1, { kind: "dial" }),
    encodeWireMessage(2, {
      kind: "tell",
      content: { kind: "report", list: [1, "two", new Map()] } as { kind: string },
    }),
    encodeWireMessage(3, { kind: "link", to: "B/0", from: "A/0", message: parcelOf(3, 500) }),
    encodeWireMessage(4, { kind: "link", to: "B/0", from: "A/0", message: { ...parcelOf(3, 0), kind: "cancel" } }),
  ];
  const refusals = new Refusals();
  for (let turn = 0; turn < count; turn++) {
    const fragments = (samples[whole(samples.length)] ?? []).map((bytes) => Uint8Array.from(bytes));
    const which = whole(fragments.length);
    const chosen = fragments[which] ?? new Uint8Array(0);
    const way = whole(5);
    if (way === 0) fragments[which] = chosen.subarray(0, whole(chosen.byteLength));
    else if (way === 1) fragments.push(new Uint8Array(1 + whole(30)));
    else if (way === 2) fragments[which] = Uint8Array.from({ length: whole(200) }, () => whole(256));
    else {
      const at = whole(chosen.byteLength);
      chosen[at] = (chosen[at] ?? 0) ^ (1 << whole(8));
    }
    try {
      readStart(fragments);
      readMessage(fragments);
      assert.unreachable(`nonsense ${turn} of seed ${seed} was taken`);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      refusals.count(error.reason);
    }
  }
  return refusals;
}
