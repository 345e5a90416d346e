import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { local, type Session } from "qstream";
import { contest, round, type Contest, type ContestOptions, type Contestant } from "./contest.ts";
import { startRedisServer } from "./redis-server.ts";

/** A folder for an embedded store, removed with it. */
export class StoreFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), "qstream-benchmark-store-"));

  get url(): string {
    return `lmdb:${this.path}`;
  }

  /** Bytes that its files take on the disk. */
  get bytes(): number {
    return bytesIn(this.path);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** What lineage costs: the time with it divided by the time without. */
export interface LineageCost {
  readonly lmdb: Contest;
  /** Undefined where there is no redis-server. */
  readonly redis: Contest | undefined;
}

/** One workload, on whatever session it is given. */
export interface Workload<R> {
  readonly prepare?: (session: Session, seed: number) => Promise<void>;
  readonly run: (session: Session, seed: number) => Promise<R>;
}

/** Runs a workload on two thread slots with a store at default settings and without one, by turns. */
export async function costOfLineage<R>(workload: Workload<R>, options: ContestOptions<R>): Promise<LineageCost> {
  using folder = new StoreFolder();
  const lmdb = await compare(workload, folder.url, options);
  await using server = await startRedisServer();
  return { lmdb, redis: server === undefined ? undefined : await compare(workload, server.url, options) };
}

async function compare<R>(workload: Workload<R>, store: string, options: ContestOptions<R>): Promise<Contest> {
  await using on = await local({ slots: 2, store });
  await using off = await local({ slots: 2, store: "none" });
  return await contest(side("with lineage", on, workload), side("without lineage", off, workload), options);
}

function side<R>(name: string, session: Session, { prepare, run }: Workload<R>): Contestant<R> {
  return {
    name,
    ...(prepare === undefined ? {} : { prepare: (seed: number) => prepare(session, seed) }),
    run: (seed) => run(session, seed),
  };
}

/** How many times as long a run takes with lineage. */
export function ratioOf({ oursMs, peerMs }: Contest): number {
  return oursMs / peerMs;
}

export function describeCost(cost: Contest | undefined): string {
  if (cost === undefined) return "not measured: there is no redis-server on PATH";
  return `${round(ratioOf(cost))} x (${round(cost.oursMs)} ms / ${round(cost.peerMs)} ms)`;
}

function bytesIn(folder: string): number {
  let bytes = 0;
  for (const name of readdirSync(folder, { recursive: true })) {
    // A file may be removed while the others are counted.
    const found = statSync(join(folder, String(name)), { throwIfNoEntry: false });
    if (found?.isFile() === true) bytes += found.blocks * 512;
  }
  return bytes;
}
