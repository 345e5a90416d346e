import { readdirSync, readFileSync } from "node:fs";

/** The process of a slot of this process's session, by the slot's id. */
export function processOfSlot(slot: string): number {
  const found = childrenOf(process.pid).find((pid) => slotOf(pid) === slot);
  if (found === undefined) throw new Error(`no process is slot ${slot}`);
  return found;
}

function childrenOf(pid: number): readonly number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").split(" ").filter(Boolean).map(Number),
  );
}

function slotOf(pid: number): string | undefined {
  const environment = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
  return environment.find((entry) => entry.startsWith("QSTREAM_SLOT="))?.slice("QSTREAM_SLOT=".length);
}
