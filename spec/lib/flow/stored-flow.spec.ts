import * as assert from "uvu/assert";
import type { QStreamError } from "../../../lib/core/errors.ts";
import { checkSameFlow, type StoredFlow } from "../../../lib/flow/stored-flow.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("what is gone on with is what was started");

const stored = {
  flow: "words",
  module: "file:///flows/words.ts",
  codeHash: "c1",
  plan: { fingerprint: "f1" },
} as unknown as StoredFlow;

function refused(now: Readonly<Record<string, string>>, upgrade = false): string {
  const same = { flow: "words", fingerprint: "f1", codeHash: "c1" };
  try {
    checkSameFlow("run-1", stored, { ...same, ...now }, upgrade);
  } catch (error) {
    return `${(error as QStreamError).code} ${(error as Error).message}`;
  }
  return "";
}

test("the same is gone on with, and with --upgrade other code for the same steps", () => {
  assert.is(refused({}), "");
  assert.match(refused({ codeHash: "c2" }), /^CODE_CHANGED .*c1 .*c2/);
  assert.is(refused({ codeHash: "c2" }, true), "");
  assert.match(refused({ fingerprint: "f2" }, true), /^FINGERPRINT_CHANGED /);
});

test("another flow is named, with the one that was started and where that is; only other steps are said to have changed", () => {
  const other = refused({ flow: "words-2" });
  assert.match(
    other,
    /^FINGERPRINT_CHANGED .*is of flow "words", and this is flow "words-2", which has the same steps/,
  );
  assert.match(other, 'Go on with "words", which was in file:///flows/words.ts.');
  assert.not.match(other, "changed since");
  assert.match(refused({ flow: "words-2", fingerprint: "f2" }), /flow "words" \(f1\), .* flow "words-2" \(f2\)/);
  const steps = refused({ fingerprint: "f2" });
  assert.match(steps, /the steps of flow "words" were f1 when .* and are f2 now\. .*have changed since/);
  assert.not.match(steps, "this is flow");
});

test.run();
