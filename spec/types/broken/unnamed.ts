// Has an inferred type that the package doesn't export: TS2883 under `declaration`, TS4023 in older compilers.
import { hidden } from "unexported";

export const shown = hidden();
