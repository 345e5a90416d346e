import * as assert from "uvu/assert";
import { QStreamError } from "../../lib/core/errors.ts";
import { broadcastJoin } from "../../operators/broadcast-join.ts";
import { suite } from "../kit/suite.ts";
import { drive } from "./drive.ts";
import { canonical, nestedLoop, type Row } from "./join-oracle.ts";

const test = suite("broadcast join");

const left: Row[] = Array.from({ length: 20 }, (_, n) => ({ id: BigInt(n % 7), a: n }));
const right: Row[] = Array.from({ length: 5 }, (_, n) => ({ id: BigInt(n * 2), b: n }));

test("gives the whole join when channels have parts of the left side and all of the right", async () => {
  for (const how of ["inner", "left", "semi", "anti"] as const) {
    const channels = await Promise.all(
      [0, 1, 2].map((channel) =>
        drive(broadcastJoin<Row, Row>({ left: "id", right: "id", how: how as "inner" }), [
          { input: "right", objects: right },
          { input: "left", objects: left.filter((_, index) => index % 3 === channel) },
        ]),
      ),
    );
    assert.equal(canonical(channels.flat() as Row[]), canonical(nestedLoop(left, right, ["id"], how)), how);
  }
});

test("refuses right and full joins, and says why", () => {
  for (const how of ["right", "full"]) {
    assert.throws(
      () => broadcastJoin({ left: "id", right: "id", how: how as "inner" }),
      (error: unknown) =>
        error instanceof QStreamError && error.code === "OPTION_INVALID" && error.message.includes("hashJoin"),
    );
  }
});

test("reads the right side first", () => {
  const { stages, kind, declares } = broadcastJoin({ left: "id", right: "id" });
  assert.equal(
    { stages, kind, declares },
    { stages: { left: 1, right: 0 }, kind: "broadcast-join", declares: "confluent" },
  );
});

test.run();
