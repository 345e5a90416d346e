import * as assert from "uvu/assert";
import { openStore, type OpenStoreOptions } from "../../../actors/stores/open-store.ts";
import { suite } from "../../kit/suite.ts";
import { refuses } from "./conformance.ts";

const test = suite("opening a store");

test("a text that names no store is refused, with those that there are", async () => {
  for (const text of [
    "",
    "mem",
    "Memory",
    "lmdb",
    "postgres://here",
    "lmdb:here?flush=yes",
    "lmdb:here?sync",
    "http://x",
  ]) {
    const error = await refuses("OPTION_INVALID", () => openStore(text));
    assert.match(error.message, /lmdb:<folder>/u);
  }
  const error = await refuses("OPTION_INVALID", () => openStore("lmdb:"));
  assert.match(error.message, /lmdb:\.qstream/u);
});

test("an address of Redis that can't be one is refused, and its password isn't said", async () => {
  const wrong = ["redis://", "redis://host:70000", "redis://host/a", "redis://host/0?tls=1", "redis://host?prefix=a*b"];
  for (const text of [...wrong, "redis://user:s3cret@host/0/1", "reddis://user:s3cret@host", "x://a:s3@cret@host"]) {
    const error = await refuses("OPTION_INVALID", () => openStore(text));
    assert.not.match(error.message, /s3|cret/u);
  }
});

test("times that are none are refused", async () => {
  for (const options of [{ connectTimeoutMs: 0 }, { commandTimeoutMs: Number.NaN }] satisfies OpenStoreOptions[]) {
    await refuses("OPTION_INVALID", () => openStore("redis://127.0.0.1:1", options));
  }
});

test("a server that isn't there is STORE_UNAVAILABLE, with its address", async () => {
  const error = await refuses("STORE_UNAVAILABLE", () => openStore("redis://user:s3cret@127.0.0.1:1/0"));
  assert.match(error.message, /redis:\/\/127\.0\.0\.1:1/u);
  assert.not.match(error.message, /s3cret/u);
});

test("the store in memory is a new one each time", async () => {
  const store = await openStore("memory");
  await store.create("e", new Uint8Array(1), 1, 1);
  assert.equal(await (await openStore("memory")).list(), []);
  assert.is(store.kind, "memory");
});

test.run();
