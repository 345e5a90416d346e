// A flow in a module of its own, as the command line takes it, whose arguments aren't texts: it keeps what comes first.
import { defineFlow, numbers } from "../../../../lib/index.ts";

export default defineFlow(import.meta.url, (q, { upTo, few }: { upTo: number; few: number }) => ({
  taken: q.read("numbers", numbers(0, upTo)).limit("taken", few).collect(),
}));
