// What is done to the slots of a run, at times drawn from its seed.

import type { Faults } from "../kit/faults.ts";

/** About how long an undisturbed run is when most of its faults happen. */
const runMs = 500;

/** By what they show. Each ends at the latest when the run does. */
export const scripts = {
  "one slot": async (faults) => {
    await faults.after(faults.random() * runMs);
    faults.hit();
  },
  "one slot, and one more at any time after that": async (faults) => {
    await faults.after(faults.random() * runMs * 0.6);
    faults.hit();
    await faults.after(faults.random() * runMs);
    faults.hit();
  },
  "one slot, and another one during recovery": async (faults) => {
    await faults.after(faults.random() * runMs * 0.8);
    faults.hit();
    if (!(await faults.next("slot-lost"))) return;
    await faults.after(faults.random() * 60);
    faults.hit();
  },
  "all slots at the same moment": async (faults) => {
    await faults.after(faults.random() * runMs * 0.8);
    faults.hit("all");
  },
  "all slots, then one of those that took their place": async (faults) => {
    await faults.after(faults.random() * runMs * 0.6);
    faults.hit("all");
    if (!(await faults.next("recovered"))) return;
    await faults.after(faults.random() * 50);
    faults.hit();
  },
} satisfies Readonly<Record<string, (faults: Faults) => Promise<void>>>;

export type ScriptName = keyof typeof scripts;
