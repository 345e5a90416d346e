import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { hasRedisServer, startRedisServer } from "../../../kit/redis-server.ts";
import { projectFolder } from "../../../kit/sources.ts";
import { suite } from "../../../kit/suite.ts";

const test = suite("durable actors whose process is killed");

const program = join(projectFolder, "dist/spec/actors/system/durable/transfers.js");
const moves = 800;
const kills = 2;

interface Ended {
  readonly deposits: number;
  readonly result:
    | { readonly moves: number; readonly most: number; readonly sum: number; readonly deposits: number }
    | undefined;
}

/** Runs the program on a store, and kills it after so many deposits; undefined to let it end. */
async function run(store: string, killAfter: number | undefined): Promise<Ended> {
  const child = spawn(process.execPath, ["--enable-source-maps", program, store, String(moves)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
    if (killAfter !== undefined && said.split("\n").length > killAfter) child.kill("SIGKILL");
  });
  await once(child, "close");
  const lines = said.split("\n").slice(0, -1);
  const deposits = lines.findLast((line) => line.startsWith("deposits"))?.split(" ")[1] ?? "0";
  const last = lines.at(-1) ?? "";
  return { deposits: Number(deposits), result: last.startsWith("{") ? JSON.parse(last) : undefined };
}

async function check(store: string): Promise<void> {
  let answered = 0;
  for (let round = 0; round < kills; round++) {
    // oxlint-disable-next-line no-await-in-loop -- one life after the other
    const { deposits, result } = await run(store, 3 + 4 * round);
    assert.is(result, undefined, "it is killed in the middle");
    assert.ok(deposits > answered, `${deposits} deposits after ${answered}`);
    answered = deposits;
  }
  const { result } = await run(store, undefined);
  assert.equal([result?.moves, result?.most, result?.sum], [4 * moves, 1, 0]);
  assert.ok((result?.deposits ?? 0) >= answered, "each deposit that was answered is there");
}

for (const flush of ["false", "true"]) {
  test(`in a folder (flush=${flush}), each move is made once, and what was answered is there`, async () => {
    const folder = await mkdtemp(join(tmpdir(), "qstream-spec-killed-"));
    try {
      await check(`lmdb:${folder}?flush=${flush}`);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}

if (await hasRedisServer()) {
  test("in Redis, each move is made once, and what was answered is there", async () => {
    const server = await startRedisServer();
    try {
      await check(server.url);
    } finally {
      await server.stop();
    }
  });
}

test.run();
