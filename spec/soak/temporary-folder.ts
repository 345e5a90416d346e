import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { inSlot } from "../kit/suite.ts";

const momentMs = 5000;

/** A folder for the temporary files of this process and its slots alone, so that what is left in it can be seen. */
export interface TemporaryFolder {
  /** What is in it now, without the code and the sockets that a session keeps while it's open. */
  entries: () => string[];
  /** What is still in it after the moment that the slots' processes may take to remove what they had. */
  left: () => Promise<string[]>;
  remove: () => void;
}

/** Makes the folder, and the one that slots take from now on. In a slot, that is done already. */
export function ownTemporaryFolder(): TemporaryFolder {
  if (inSlot) return { entries: () => [], left: () => Promise.resolve([]), remove: () => {} };
  const folder = mkdtempSync(join(tmpdir(), "qstream-soak-"));
  process.env["TMPDIR"] = folder;
  const entries = (): string[] =>
    readdirSync(folder).filter((name) => /^qstream-\d+-/.test(name) && !holdsSockets(join(folder, name)));
  return {
    entries,
    left: async () => {
      const deadline = performance.now() + momentMs;
      // oxlint-disable-next-line no-await-in-loop -- looks again and again
      while (entries().length > 0 && performance.now() < deadline) await wait(50);
      return entries();
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function holdsSockets(folder: string): boolean {
  return readdirSync(folder).some((name) => name.endsWith(".sock"));
}
