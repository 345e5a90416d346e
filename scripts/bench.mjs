// npm run bench [-- NAME...] [--json FILE|-]: installs and builds what is missing, then runs the benchmarks.

import { ensureAll, runNode } from "./ensure.mjs";

if (!(await ensureAll())) process.exit(1);
process.exit(await runNode(["dist/benchmarks/main.js", ...process.argv.slice(2)]));
