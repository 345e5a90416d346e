import {
  dataset,
  defineFlow,
  local,
  numbers,
  registerCodec,
  standardInput,
  type Dataset,
  type FlowSession,
} from "../../lib/index.ts";
import type { ErrorCode } from "../../lib/core/errors.ts";

interface NotThere {
  readonly why: string;
  /** What somebody gets who tries, and what the error says to do. */
  readonly code: ErrorCode;
  readonly advice: RegExp;
  readonly tried: (on: FlowSession) => Promise<unknown>;
}

const typed = defineFlow(import.meta.url, (q) => ({ lines: q.read("lines", standardInput()).collect() }));

const kept = defineFlow(import.meta.url, (q) => ({ numbers: q.read("numbers", numbers(0, 10)).dataset() }));

const fromKept = defineFlow(import.meta.url, (q, args: { kept: Dataset<number> }) => ({
  numbers: q.read("kept", dataset(args.kept)).collect(),
}));

class Weight {
  readonly grams: number;

  constructor(grams: number) {
    this.grams = grams;
  }
}

const weighed = defineFlow(import.meta.url, (q, { weight }: { weight: Weight }) => ({
  grams: q
    .read("numbers", numbers(0, 10))
    .map("grams", (n) => n * weight.grams)
    .collect(),
}));

/** All that runs on a machine and not on a cluster. What examples and suites of all topologies do, and isn't here, is run there. */
export const notOnACluster: Readonly<Record<string, NotThere>> = {
  "reader standard-input": {
    why: "the input is that of the program which submits the flow, and no machine has it",
    code: "UNSUPPORTED",
    advice: /write the lines to a file that the cluster's machines can read/u,
    tried: (on) => typed.run({}, { on }),
  },
  "a dataset of a session of this machine": {
    why: "it is in the memory of that session's slots",
    code: "PLACEMENT_IMPOSSIBLE",
    advice: /Run the flow on the session that made the dataset/u,
    tried: async (on) => {
      await using here = await local({ isolation: "none" });
      const { numbers: data } = await kept.run({}, { on: here });
      return fromKept.run({ kept: data }, { on });
    },
  },
  "objects of a class whose codec only the program registers": {
    why: "machines run the flow's module and what it imports, not the program",
    code: "CANNOT_TRAVEL",
    advice: /Call registerCodec at the top level of a module that the flow's module imports/u,
    tried: (on) => {
      registerCodec(Weight, {
        name: "spec.weight",
        encode: ({ grams }) => grams,
        decode: (grams: number) => new Weight(grams),
      });
      return weighed.run({ weight: new Weight(2) }, { on });
    },
  },
};
