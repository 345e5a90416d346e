import { createHash } from "node:crypto";
import * as assert from "uvu/assert";
import { download, upload } from "../../../actors/transport/wire/download.ts";
import { WireServer } from "../../../actors/transport/wire/server.ts";
import { BundleShelf, type BundleKeeper } from "../../../lib/cluster/bundle-shelf.ts";
import type { Coordination } from "../../../lib/core/contracts/coordination.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("the shelf of bundles");

const security = { token: undefined, tls: undefined };
const codes = Array.from({ length: 6 }, (_, index) => Buffer.alloc(100, String(index)));
const hashOf = (code: Uint8Array): string => createHash("sha256").update(code).digest("hex");

test("where there is no room, what nobody uses goes, and of that what was used longest ago", async () => {
  const inUse = new Set<string>();
  // What isn't on the shelf is asked for elsewhere: that says what is on it.
  const asked: string[] = [];
  const elsewhere = new Map<string, Uint8Array>();
  const state = {
    putBundle: async (hash: string, bytes: Uint8Array) => void elsewhere.set(hash, bytes),
    bundle: async (hash: string) => {
      asked.push(hash);
      return elsewhere.get(hash);
    },
  } as unknown as Coordination;
  const step = <T>(of: (on: Coordination) => Promise<T>): Promise<T> => of(state);
  const keeper: BundleKeeper = { attempt: step, patiently: step };
  const shelf = new BundleShelf(
    () => keeper,
    () => inUse,
    300,
  );
  const server = await WireServer.open({
    bind: { host: "127.0.0.1", port: 0 },
    security,
    admit: () => ({ admitted: false, status: 404, reason: "nothing is here" }),
    answer: (url, request, response, rights) => shelf.answer(url.pathname.slice(1), request, response, rights),
  });
  const urlOf = (index: number): string => `http://127.0.0.1:${server.port}/${hashOf(codes[index] ?? codes[0]!)}`;
  const put = async (index: number): Promise<void> => upload(urlOf(index), security, codes[index] ?? codes[0]!);
  const isHeld = async (index: number): Promise<boolean> => {
    asked.length = 0;
    assert.equal(Buffer.from(await download(urlOf(index), security, 1000)), codes[index]);
    return asked.length === 0;
  };
  for (const index of [0, 1, 2]) {
    // oxlint-disable-next-line no-await-in-loop -- in this order
    await put(index);
  }
  inUse.add(hashOf(codes[1]!));
  // The oldest is used again, the next is in use: the third goes.
  assert.ok(await isHeld(0));
  await put(3);
  assert.ok(await isHeld(0));
  assert.ok(await isHeld(3));
  assert.ok(await isHeld(1));
  assert.not.ok(await isHeld(2));
  // What is in use stays, also where all of it is too much.
  for (const code of codes) inUse.add(hashOf(code));
  for (const index of [4, 5]) {
    // oxlint-disable-next-line no-await-in-loop -- in this order
    await put(index);
  }
  for (const index of [1, 4, 5]) {
    // oxlint-disable-next-line no-await-in-loop -- see above
    assert.ok(await isHeld(index), `bundle ${index}`);
  }
  await server.close();
});

test.run();
