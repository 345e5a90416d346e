import type { MachineOptions } from "../../actors/cluster/machine-options.ts";
import { Machine } from "../../actors/cluster/machine.ts";
import { token } from "../actors/transport/wire/wires.ts";

/** A machine "M" of one slot in this process, on a port of its own. Where it breaks, the spec fails. */
export function openMachine(options: Partial<MachineOptions> = {}): Promise<Machine> {
  return Machine.open({
    id: "M",
    slots: 1,
    tags: [],
    host: "spec",
    memoryBytes: undefined,
    files: {},
    turnMs: 0,
    bind: { host: "127.0.0.1", port: 0 },
    security: { token, tls: undefined },
    leaseMs: 4000,
    settleCode: (code) => code,
    broken: (error) => {
      throw error;
    },
    ...options,
  });
}
