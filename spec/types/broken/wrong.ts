// Doesn't compile, and nothing says so: TS2339.
import { leaves } from "../shared.ts";

export const weight = leaves.map("a", (leaf) => leaf.kg);
