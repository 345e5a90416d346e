import { defineFlow, type Reader } from "qstream";

const nothing: Reader<number> = { kind: "nothing", splits: () => [], *read() {} };

/** A flow that has nothing to do. */
export default defineFlow(import.meta.url, (q) => ({ nothing: q.read("nothing", nothing).collect() }));
