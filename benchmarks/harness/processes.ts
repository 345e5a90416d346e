import { readdirSync, readFileSync } from "node:fs";

/** The most that this process and its children had at one time, as the system counts it. */
export interface Usage {
  readonly residentBytes: number;
  /** Bytes that went to the disk, all processes together. */
  readonly writtenBytes: number;
}

/** Watches this process and all below it until it is told to stop. Linux only: there is no other count of all processes. */
export function watchProcesses(everyMs = 50): { readonly stop: () => Usage } {
  let residentBytes = 0;
  const written = new Map<number, number>();
  const sample = (): void => {
    let sum = 0;
    for (const pid of family(process.pid)) {
      sum += residentOf(pid);
      written.set(pid, Math.max(written.get(pid) ?? 0, writtenBy(pid)));
    }
    residentBytes = Math.max(residentBytes, sum);
  };
  sample();
  const before = new Map(written);
  const timer = setInterval(sample, everyMs);
  return {
    stop() {
      clearInterval(timer);
      sample();
      let writtenBytes = 0;
      for (const [pid, bytes] of written) writtenBytes += bytes - (before.get(pid) ?? 0);
      return { residentBytes, writtenBytes };
    },
  };
}

function family(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap(family)];
}

function childrenOf(pid: number): number[] {
  const tasks = attempt(() => readdirSync(`/proc/${pid}/task`)) ?? [];
  return tasks.flatMap((task) => {
    const text = attempt(() => readFileSync(`/proc/${pid}/task/${task}/children`, "utf8")) ?? "";
    return text.split(" ").filter(Boolean).map(Number);
  });
}

function residentOf(pid: number): number {
  const text = attempt(() => readFileSync(`/proc/${pid}/status`, "utf8"));
  if (text === undefined && pid === process.pid)
    throw new Error("the memory of all processes is read from /proc, which isn't there");
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(text ?? "")?.[1] ?? 0) * 1024;
}

function writtenBy(pid: number): number {
  const text = attempt(() => readFileSync(`/proc/${pid}/io`, "utf8")) ?? "";
  return Number(/^write_bytes: (\d+)/m.exec(text)?.[1] ?? 0);
}

/** A process may end while it is looked at. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
