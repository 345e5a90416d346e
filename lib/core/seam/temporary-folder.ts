import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { threadId } from "node:worker_threads";

// Process, place, the process's start, and thread: names of folders tell whose they are, so that others can remove them.
const named = /^qstream-(?:code-)?(?<pid>\d+)-(?<place>[0-9a-f]{6})-(?<start>[0-9a-z]+)(?:-t(?<thread>\d+))?-/;

/** Who has made a folder. */
interface Owner {
  readonly pid: number;
  readonly start: string;
  readonly thread: number;
}

/** Makes a temporary folder that only this user can enter. Its name tells whose it is, so that it can be swept after a crash. */
export function makeTemporaryFolder(kind: "" | "code-" = ""): string {
  void sweepTemporaryFolders(tmpdir());
  return mkdtempSync(temporaryFolderIn(tmpdir(), kind));
}

/** What the path of a temporary folder of this thread begins with. */
export function temporaryFolderIn(parent: string, kind: "" | "code-" = ""): string {
  const thread = threadId === 0 ? "" : `-t${threadId}`;
  return join(parent, `qstream-${kind}${process.pid}-${thisPlace()}-${thisStart()}${thread}-`);
}

/** Removes a folder. One that is busy stays for the next sweep: this is called while a process ends. */
export function removeTemporaryFolder(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    // Somebody else removes it too, or still writes there.
  }
}

const swept = new Map<string, Promise<void>>();

/** Removes what processes left in a folder that were killed. Looks once in a thread; what can't be removed stays. */
export function sweepTemporaryFolders(parent: string): Promise<void> {
  let sweep = swept.get(parent);
  if (sweep === undefined) swept.set(parent, (sweep = removeFolders(parent, isGone)));
  return sweep;
}

/** Removes what a child process left that has ended, or a thread of this one. */
export function removeFoldersOf(ended: { readonly pid: number } | { readonly thread: number }): Promise<void> {
  return removeFolders(
    tmpdir(),
    "pid" in ended ? (owner) => owner.pid === ended.pid && isGone(owner) : ofThread(ended),
  );
}

/** Removes all that this process has made, of whichever thread: for one that is about to end. */
export function removeOwnFolders(): void {
  let names: readonly string[] = [];
  try {
    names = readdirSync(tmpdir());
  } catch {
    // Nothing is there.
  }
  for (const name of names) if (isOwn(ownerOf(name))) removeTemporaryFolder(join(tmpdir(), name));
}

async function removeFolders(parent: string, goes: (owner: Owner) => boolean): Promise<void> {
  const names = await readdir(parent).catch(() => []);
  const going = names.filter((name) => {
    const owner = ownerOf(name);
    return owner !== undefined && goes(owner);
  });
  await Promise.all(going.map((name) => rm(join(parent, name), { recursive: true, force: true }).catch(() => {})));
}

/** Undefined for folders of others, and of processes elsewhere: nobody knows here whether these are alive. */
function ownerOf(name: string): Owner | undefined {
  const { pid, place, start = "", thread = "0" } = named.exec(name)?.groups ?? {};
  return place === thisPlace() ? { pid: Number(pid), start, thread: Number(thread) } : undefined;
}

function isOwn(owner: Owner | undefined): owner is Owner {
  return owner?.pid === process.pid && owner.start === thisStart();
}

function ofThread({ thread }: { readonly thread: number }): (owner: Owner) => boolean {
  return (owner) => isOwn(owner) && owner.thread === thread;
}

/** True if the process has ended, also where another one has its id by now. */
function isGone({ pid, start }: Owner): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // A process of another user can't be signalled, but is there.
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return true;
  }
  const now = startOf(pid);
  return now !== unknownStart && start !== unknownStart && now !== start;
}

const unknownStart = "0";
let place: string | undefined;
let ownStart: string | undefined;

/** Where process ids mean the same: containers may share a temporary folder, and machines one of a network. */
function thisPlace(): string {
  return (place ??= createHash("sha256").update(`${hostname()} ${processNamespace()}`).digest("hex").slice(0, 6));
}

function processNamespace(): string {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    // Only Linux has them.
    return "";
  }
}

function thisStart(): string {
  return (ownStart ??= startOf(process.pid));
}

/** When a process was started, in a short form of the system's own units: ids are given again, but not at the same time. */
function startOf(pid: number): string {
  try {
    // After the name, which may hold anything and ends with the last parenthesis: state is the third field, the start the 22nd.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /su, "")
      .split(" ");
    const ticks = Number(fields[19]);
    return Number.isSafeInteger(ticks) && ticks > 0 ? (ticks % 36 ** 5).toString(36) : unknownStart;
  } catch {
    return unknownStart;
  }
}
