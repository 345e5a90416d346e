// npm start [-- OPTIONS]: installs and builds what is missing, then runs the main demo with the given options.

import { ensureAll, runNode, say } from "./ensure.mjs";

if (!(await ensureAll())) process.exit(1);
say("running examples/flights.ts");
process.exit(await runNode(["--enable-source-maps", "dist/examples/flights.js", ...process.argv.slice(2)]));
