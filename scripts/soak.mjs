// npm run soak [-- PATTERN...]: the long and large variants, spec/**/*.soak.ts, one at a time and one that mostly waits
// beside it, within 20 minutes.

import { ensureAll, say, seconds } from "./ensure.mjs";
import { runSpecs, totalsLine } from "./specs.mjs";

const started = performance.now();
if (!(await ensureAll())) process.exit(1);
say("running the soaks");
const totals = await runSpecs({
  ending: ".soak.ts",
  patterns: process.argv.slice(2),
  fileSeconds: 600,
  // They are made for 20 minutes on two cores; a slow machine isn't a defect.
  overallSeconds: 2400,
  atOnce: 1,
});
say(`soaked in ${seconds(started)}`);
process.stdout.write(`${totalsLine(totals)}\n`, () => process.exit(totals.failed === 0 ? 0 : 1));
