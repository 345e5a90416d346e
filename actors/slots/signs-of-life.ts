import { writeSync } from "node:fs";
import type { SlotActivity } from "../slot/turn-notes.ts";
import type { StuckTurn } from "./turn-watch.ts";

/** Where a slot's process writes its signs of life: the file descriptor after those of standard streams and IPC. */
export const signsOfLifeDescriptor = 4;
/** How often it does. */
export const signsOfLifeEveryMs = 500;

/** What a sign of life may say besides that the process lives. */
export type SlotSign =
  /** The slot doesn't come back to its event loop. */
  | { readonly stuck: StuckTurn }
  /** What the slot has been at for a while, or was at when its process ended; null once it isn't any more. */
  | { readonly at: SlotActivity | null };

/** Writes a sign of life of this process, from any of its threads. It is there for the reader also if the process ends now. */
export function giveSign(sign?: SlotSign): void {
  try {
    writeSync(signsOfLifeDescriptor, sign === undefined ? "." : `${JSON.stringify(sign)}\n`);
  } catch {
    // Nobody reads them now: there are enough in the pipe.
  }
}

/** Puts together what comes in pieces. */
export class SignReader {
  #rest = "";

  /** @returns what the signs say, in the order in which they were given */
  take(bytes: Buffer): readonly SlotSign[] {
    const lines = `${this.#rest}${bytes.toString("latin1")}`.split("\n").map((line) => line.replace(/^\.+/u, ""));
    this.#rest = lines.pop() ?? "";
    return lines.map((line) => JSON.parse(line) as SlotSign);
  }
}
