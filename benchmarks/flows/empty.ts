import { defineFlow, type Reader } from "qstream";
import { gathered } from "./gathered.ts";

const nothing: Reader<number> = { kind: "nothing", splits: () => [], *read() {} };

/** A flow that has nothing to do. */
export default defineFlow(import.meta.url, (q) => ({ nothing: q.read("nothing", nothing).to(gathered()) }));
