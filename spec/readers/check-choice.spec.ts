import * as assert from "uvu/assert";
import { arrowIpc } from "../../readers/arrow.ts";
import { csv } from "../../readers/csv.ts";
import { jsonArray } from "../../readers/json-array.ts";
import { jsonLines } from "../../readers/json-lines.ts";
import { lines } from "../../readers/lines.ts";
import { parquet } from "../../readers/parquet.ts";
import { suite } from "../kit/suite.ts";

const test = suite("choices of readers");

test("an option that is none of its choices is refused by name, with the choices", () => {
  const wrong = (option: string): never => ({ [option]: "skip" }) as never;
  const cases: readonly (readonly [make: () => unknown, message: RegExp])[] = [
    [() => csv("a", wrong("badRows")), /badRows is "skip".*"fail", "side"/s],
    [() => csv("a", wrong("as")), /as is "skip".*"objects", "arrow", "polars"/s],
    [() => lines("a", wrong("badLines")), /badLines is "skip".*"fail", "side"/s],
    [() => jsonLines("a", wrong("badRows")), /badRows is "skip".*"fail", "side"/s],
    [() => jsonArray("a", wrong("badRows")), /badRows is "skip".*"fail", "side"/s],
    [() => parquet("a", wrong("as")), /as is "skip".*"objects", "arrow", "polars"/s],
    [() => parquet("a", wrong("badFiles")), /badFiles is "skip".*"error", "side"/s],
    [() => parquet("a", wrong("where")), /where is a string.*array of conditions/s],
    [() => arrowIpc("a", wrong("as")), /as is "skip".*"objects", "arrow", "polars"/s],
  ];
  for (const [make, message] of cases) {
    try {
      make();
      assert.unreachable(String(message));
    } catch (error) {
      assert.is((error as { code?: string }).code, "OPTION_INVALID", String(error));
      assert.match(String(error), message);
    }
  }
});

test.run();
