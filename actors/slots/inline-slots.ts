import { openFileSystem, type FileSystemOptions } from "../../lib/files/index.ts";
import type { MemoryNetwork } from "../transport/memory-transport.ts";
import { makeSlot, type World } from "./local-slot.ts";
import type { LaunchedSlots, LaunchOptions } from "./slot-launcher.ts";

/** Runs all slots in this thread, for debugging and specs: links between them encode what they carry, as everywhere. */
export function launchInlineSlots(options: LaunchOptions, world: () => World, network: MemoryNetwork): LaunchedSlots {
  const files = openFileSystem(options.files as FileSystemOptions);
  const slots = [...options.ids, options.client].map((id) => {
    const memoryBytes = (): number => (id === options.client ? process.memoryUsage.rss() : 0);
    const slot = makeSlot({
      id,
      files,
      memoryBytes,
      world: world(),
      transport: network.transport(id),
      report: options.onReport,
    });
    return { slot, handle: { id, machine: "local", tags: options.tags, order: slot.order.bind(slot), lose: () => {} } };
  });
  const handles = slots.map(({ handle }) => handle);
  const client = handles.pop();
  if (client === undefined) throw new Error("unreachable: the client is always among the slots");
  return {
    slots: handles,
    client,
    close: async () => {
      await Promise.all(slots.map(({ slot }) => slot.close()));
    },
  };
}
