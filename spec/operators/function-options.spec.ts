// What definitions that were given functions say of them in the flow's fingerprint.

import * as assert from "uvu/assert";
import { fingerprintOf } from "../../lib/core/fingerprint.ts";
import { broadcastJoin } from "../../operators/broadcast-join.ts";
import { cogroup } from "../../operators/cogroup.ts";
import { distinct } from "../../operators/distinct.ts";
import { hashJoin } from "../../operators/hash-join.ts";
import { foldByKey, reduceByKey } from "../../operators/reduce-by-key.ts";
import { forEach } from "../../operators/sinks/for-each.ts";
import { writeLines } from "../../operators/sinks/lines.ts";
import { sort } from "../../operators/sort.ts";
import { symmetricJoin } from "../../operators/symmetric-join.ts";
import { topK } from "../../operators/top-k.ts";
import { zip } from "../../operators/zip.ts";
import { iterable } from "../../readers/iterable.ts";
import { suite } from "../kit/suite.ts";

const test = suite("functions in options");

type Row = { readonly k: string; readonly n: number };
type Make = (key: (row: Row) => string, both: () => number, more: () => number[]) => { readonly options?: unknown };

const made: Readonly<Record<string, Make>> = {
  broadcastJoin: (key, both) => broadcastJoin({ left: key, right: key, combine: both }),
  cogroup: (key, both) => cogroup<Row, Row, number>({ left: key, right: key, combine: both }),
  distinct: (key) => distinct<Row>({ key }),
  foldByKey: (key, both) => foldByKey<Row, string, number>({ key, init: both, fold: both }),
  forEach: (_, both) => forEach<Row>(() => void both()),
  hashJoin: (key, both) => hashJoin({ left: key, right: key, combine: both }),
  iterable: (_, __, more) => iterable(more),
  reduceByKey: (key, both) => reduceByKey<Row, string, number>({ key, init: both, reduce: both }),
  sort: (key) => sort<Row>({ by: [key, { by: key, order: "descending" }] }),
  symmetricJoin: (key, both) => symmetricJoin({ left: key, right: key, combine: both }),
  topK: (key) => topK<Row>({ k: 3, by: key }),
  writeLines: (key) => writeLines<Row>("out", { line: key }),
  zip: (_, both) => zip<Row, Row, number>({ combine: both }),
};

for (const [name, make] of Object.entries(made)) {
  test(`${name} describes functions without their source, which a compiler may change`, () => {
    const one = make(
      (row) => row.k,
      () => 1,
      () => [1],
    ).options;
    const other = make(
      function key(row: Row): string {
        return `${row.k}!`;
      },
      () => 2,
      () => [2],
    ).options;
    assert.equal(structuredClone(one), one);
    assert.is(fingerprintOf(one), fingerprintOf(other));
    assert.not.match(JSON.stringify(one) ?? "", /=>|return/u);
  });
}

test.run();
