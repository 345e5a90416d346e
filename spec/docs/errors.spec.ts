// docs/errors.md has every code that an error can carry; and what the guide says of limits.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { defaultLimits } from "../../lib/core/limits.ts";
import { projectFolder } from "../kit/sources.ts";
import { suite } from "../kit/suite.ts";
import { codeIn, tableRows } from "./tables.ts";

const test = suite("docs/errors.md");

test("the tables have every error code once, and no other", () => {
  const source = readFileSync(join(projectFolder, "lib/core/errors.ts"), "utf8");
  const union = /export type ErrorCode =([\s\S]*?);/.exec(source)?.[1] ?? "";
  const codes = [...union.matchAll(/"([A-Z_]+)"/g)].map((match) => match[1] ?? "");
  assert.ok(codes.length > 20);
  const documented = tableRows("docs/errors.md", "code").flatMap((row) => codeIn(row["code"]));
  assert.equal(documented.toSorted(), codes.toSorted());
});

test("every code has a meaning and advice", () => {
  for (const row of tableRows("docs/errors.md", "code")) {
    assert.ok((row["means"] ?? "").length > 0 && (row["what to do"] ?? "").length > 0, row["code"]);
  }
});

test("limits that the guide names have the defaults that it tells", () => {
  const units: Readonly<Record<string, number>> = { ms: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };
  const documented: Record<string, number> = {};
  for (const row of tableRows("docs/guide.md", "limit")) {
    const values = [...(row["default"] ?? "").matchAll(/(\d+(?:,\d{3})*)(?: ([KMG]iB|ms))?/g)].map(
      ([, digits = "", unit = "ms"]) => Number(digits.replaceAll(",", "")) * (units[unit] ?? Number.NaN),
    );
    codeIn(row["limit"]).forEach((name, index) => (documented[name] = values[index] ?? Number.NaN));
  }
  assert.ok(Object.keys(documented).length > 5);
  for (const [name, value] of Object.entries(documented))
    assert.is(value, { ...defaultLimits }[name as keyof typeof defaultLimits], name);
});

test.run();
