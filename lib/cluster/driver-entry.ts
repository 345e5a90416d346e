import { Driver } from "./driver.ts";
import type { FromDriver, ToDriver } from "./protocol.ts";

// The entry of a driver's process. It ends with its execution, or with the head that started it.
process.setSourceMapsEnabled(true);
const tell = (message: FromDriver): void => {
  if (process.connected) process.send?.(message, () => {});
};
const driver = new Driver(tell);
process.on("disconnect", () => process.exit(1));
// Ctrl-C reaches the whole process group; the head decides what stops when.
process.on("SIGINT", () => {}).on("SIGHUP", () => {});
process.on("message", (message: ToDriver) => {
  if (message.kind === "start") void driver.run(message).finally(() => process.disconnect?.());
  else driver.told(message);
});
// While it waits for its execution it loads what that will need: the store's client, and what the code of flows imports.
for (const path of ["../index.js", "../../actors/stores/redis-store.js"]) {
  import(new URL(path, import.meta.url).href).catch(() => {});
}
import("redis").catch(() => {});
