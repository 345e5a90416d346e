// A client of its own process: `node client-program.js URL detach|stay COUNT`. It submits a slow flow, says its id, and waits for the outputs.
import { cluster } from "qstream";
import { slowSums } from "./flows.ts";

const [url = "", how = "", upTo = ""] = process.argv.slice(2);

const session = await cluster({ url, detach: how === "detach" });
const execution = await slowSums.start({ upTo: Number(upTo) }, { on: session });
process.stdout.write(`${execution.id}\n`);
await execution.outputs;
await session.close();
