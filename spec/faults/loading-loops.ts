// A module that hangs while a slot loads it, as often as the environment says.

import { appendFileSync, existsSync, statSync } from "node:fs";
import { defineFlow, numbers } from "../../lib/index.ts";
import { inSlot } from "../kit/suite.ts";

const file = process.env["QSTREAM_SPEC_LOADING"];
const times = Number(process.env["QSTREAM_SPEC_LOADING_TIMES"] ?? 0);

if (inSlot && file !== undefined && !(existsSync(file) && statSync(file).size >= times)) {
  appendFileSync(file, "x");
  for (;;);
}

export const loaded = defineFlow(import.meta.url, (q) => ({ rows: q.read("numbers", numbers(0, 10)).collect() }));
