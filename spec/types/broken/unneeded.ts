// Compiles, though it says that it doesn't: TS2578.
import { leaves } from "../shared.ts";

// @ts-expect-error: nothing is wrong here
export const size = leaves.map("a", (leaf) => leaf.size);
