import { Bundles } from "../../actors/cluster/bundles.ts";
import { settleBundle } from "../code/machine-bundle.ts";
import { enterSlot } from "../core/flow-registry.ts";
import { Driver, systemDriverWorld } from "./driver.ts";
import type { DriverStart, FromDriver, ToDriver } from "./protocol.ts";

// The entry of a driver's process. It ends with the head that started it, or with an execution that failed; after one that is done
// it can take another.
process.setSourceMapsEnabled(true);
// A module that runs its flow at its top level comes here for the flow's code only.
enterSlot();

// What executions leave behind, their code above all, doesn't pile up for ever.
const executionsMax = 100;
const memoryBytesMax = 384 * 2 ** 20;

let driver: Driver | undefined;
let executions = 0;
let bundles: Bundles | undefined;

const tell = (message: FromDriver): void => {
  if (process.connected) process.send?.(message, () => {});
};

async function drive(start: DriverStart): Promise<void> {
  const { token, tls } = start;
  // Code that came for one execution is there for the next. All are those of one head, with its token.
  bundles ??= new Bundles({ token, tls }, settleBundle);
  const kept = bundles;
  const close = (): void => kept.release(start.execution);
  const code = { fetch: kept.fetch.bind(kept), release: kept.release.bind(kept), close };
  driver = new Driver(tell, { ...systemDriverWorld, openBundles: () => code });
  const isDone = await driver.run(start);
  driver = undefined;
  executions++;
  if (isDone && executions < executionsMax && process.memoryUsage.rss() < memoryBytesMax) tell({ kind: "idle" });
  else process.disconnect?.();
}

process.on("disconnect", () => {
  bundles?.close();
  process.exit(driver === undefined ? 0 : 1);
});
// Ctrl-C reaches the whole process group; the head decides what stops when.
process.on("SIGINT", () => {}).on("SIGHUP", () => {});
process.on("message", (message: ToDriver) => {
  if (message.kind === "start") void drive(message);
  else driver?.told(message);
});
// While it waits for its execution it loads what that will need: the store's client, and what the code of flows imports.
for (const path of ["../index.js", "../../actors/stores/redis-store.js"]) {
  import(new URL(path, import.meta.url).href).catch(() => {});
}
import("redis").catch(() => {});
