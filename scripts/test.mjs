// npm test [-- PATTERN...]: installs and builds what is missing, lints, checks the format, runs the specs. With patterns,
// only the specs whose path contains one of them run, and neither linter nor formatter. The last line of the output is
// `N passed, N failed, N skipped` over all files; a finding of the linter or the formatter is one that failed.

import { ensureAll, runNode, say, seconds, tool } from "./ensure.mjs";
import { runSpecs, totalsLine } from "./specs.mjs";

const patterns = process.argv.slice(2);
const started = performance.now();
const totals = { passed: 0, failed: 0, skipped: 0 };

if (!(await ensureAll())) {
  totals.failed += 1;
} else {
  if (patterns.length === 0) {
    await check("linting (oxlint)", [tool("oxlint"), "--type-aware", "--deny-warnings"]);
    await check("checking the format (oxfmt)", [tool("oxfmt"), "--check", "."]);
  }
  say("running the specs");
  const specs = await runSpecs({ ending: ".spec.ts", patterns, fileSeconds: 120, overallSeconds: 1800 });
  for (const key of Object.keys(totals)) totals[key] += specs[key];
}
say(`tested in ${seconds(started)}`);
process.stdout.write(`${totalsLine(totals)}\n`, () => process.exit(totals.failed === 0 ? 0 : 1));

async function check(phase, parameters) {
  say(phase);
  if ((await runNode(parameters)) !== 0) {
    totals.failed += 1;
    say(`${phase}: failed, see above`);
  }
}
