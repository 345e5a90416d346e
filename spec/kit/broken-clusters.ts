import type { Patch } from "./mutating-loader.ts";

/**
 * Changes of a few lines to compiled files of heads, drivers, machines and their wires, each of which takes away something that a
 * cluster's recovery stands on.
 */
export const brokenClusters: Readonly<Record<string, readonly Patch[]>> = {
  "a head's epoch isn't looked at where it writes": [
    {
      file: "actors/stores/memory-coordination.js",
      search: "if (leader?.head !== this.#head || leader.epoch !== this.#epoch)",
      replace: "if (leader === undefined)",
    },
  ],
  "a lease is taken though it lasts": [
    {
      file: "actors/stores/memory-coordination.js",
      search: "leader.untilMs > this.#now)",
      replace: "leader.untilMs > this.#now + 500)",
    },
  ],
  "a head doesn't renew its lease": [
    {
      file: "lib/cluster/leadership.js",
      search: "await this.#state.renew(this.#parts.leaseMs, this.#parts.machines());",
      replace: ";",
    },
  ],
  "a head renews no leases of machines": [
    {
      file: "lib/cluster/leadership.js",
      search: "await this.#state.renew(this.#parts.leaseMs, this.#parts.machines());",
      replace: "await this.#state.renew(this.#parts.leaseMs, []);",
    },
    {
      file: "lib/cluster/head-machines.js",
      search: "const { machines } = await state.load(2 * leaseMs);",
      replace: "const { machines } = await state.load(0);",
    },
  ],
  "a head that is deposed goes on as before": [
    {
      file: "lib/cluster/leadership.js",
      search: "            await this.#end(lost);\n            // A server",
      replace: "            // A server",
    },
    // Nor when the next one says so.
    {
      file: "lib/cluster/leadership.js",
      search: "        await this.#end();\n        this.#leader = leader;",
      replace: "",
    },
  ],
  "an execution whose driver crashed has no other": [
    {
      file: "lib/cluster/head-executions.js",
      search: "this.#crashed(known, driver.number, message.error);",
      replace: ";",
    },
  ],
  "drivers of an execution have one number": [
    {
      file: "lib/cluster/head-executions.js",
      search: "const number = known.drivers + 1;",
      replace: "const number = known.drivers;",
    },
  ],
  "the next head doesn't go on with what runs": [
    {
      file: "lib/cluster/head-executions.js",
      search: "            void this.#goOn(known);\n        }",
      replace: "        }",
    },
  ],
  "a driver drops the lineage, and not the head": [
    {
      file: "lib/cluster/driver.js",
      search: "store === undefined ? undefined : withoutEnds(store, () => isRescaled && this.#execution === undefined)",
      replace: "store",
    },
  ],
  "a machine begins with a driver before it has stopped for the one before": [
    {
      file: "actors/cluster/machine.js",
      search: ", this.#stops.stopped(execution)]",
      replace: "]",
    },
    {
      file: "actors/cluster/machine.js",
      search: 'this.#stop(execution, "another driver goes on with it");',
      replace: "this.#forget(execution);",
    },
  ],
  "what a driver had on a machine that lost it goes on": [
    {
      file: "actors/cluster/machine.js",
      search: "if (!this.#drivers.delete(driver))\n            return;",
      replace: "return;",
    },
  ],
  "a machine that was given up doesn't begin anew": [
    { file: "lib/cluster/worker.js", search: "await this.#beginAnew();", replace: ";" },
  ],
  "a machine that left is a member for ever": [
    { file: "lib/cluster/head-machines.js", search: "this.#leaves(id, this.#parts.leaseMs);", replace: ";" },
    // Nor is it forgotten after some leases.
    {
      file: "actors/stores/memory-coordination.js",
      search: "if (untilMs <= this.#now - forgottenLeases * leaseMs)",
      replace: "if (false)",
    },
  ],
  "machines that can't reach each other wait for ever": [
    { file: "actors/cluster/peer-watch.js", search: "            told(machine);", replace: "            ;" },
  ],
  "a machine that says nothing is waited for": [
    {
      file: "actors/transport/wire/wire.js",
      search: "if (silentMs < this.#options.leaseMs)",
      replace: "if (true)",
    },
    { file: "lib/cluster/head-machines.js", search: "this.#leaves(id, this.#parts.leaseMs);", replace: ";" },
  ],
  "what had come is sent again, and taken twice": [
    { file: "actors/transport/wire/lane.js", search: "        this.acknowledged(received);\n", replace: "" },
    {
      file: "actors/transport/wire/lane.js",
      search: "        this.repeated++;\n        return false;",
      replace: "        this.received = number - 1;\n        return true;",
    },
  ],
  "what broke off isn't sent again": [
    {
      file: "actors/transport/wire/lane.js",
      search: "        this.#written = 0;\n        this.#held",
      replace: "        this.#held",
    },
    // Nor is it missed.
    { file: "actors/transport/wire/lane.js", search: "if (through > this.received)", replace: "if (false)" },
  ],
  "lost channels aren't shut out": [
    {
      file: "actors/stores/memory-store.js",
      search: "const generation = ++fenced.generation;",
      replace: "const generation = fenced.generation;",
    },
  ],
  "what was shut out goes on committing": [
    { file: "actors/stores/memory-store.js", search: "if (generation !== found.generation)", replace: "if (false)" },
    {
      file: "actors/stores/memory-store.js",
      search: 'if (generation !== kept.generation)\n        return "fenced";\n    for',
      replace: "for",
    },
  ],
};
