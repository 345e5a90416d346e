import { custom, defineFlow, run, type Context, type Operator, type Reader, type Task } from "qstream";

function numbers(count: number): Reader<number, number> {
  return {
    kind: "numbers",
    options: { count },
    parallelism: "single",
    splits: () => [count],
    *read(end) {
      yield run(Array.from({ length: end }, (_, at) => at));
    },
  };
}

/** Says which channel it is, for each object. */
class Passing implements Operator<{ in: number }, { readonly object: number; readonly channel: number }> {
  execute({ objects }: Task<{ in: number }>, { channel }: Context): { object: number; channel: number }[] {
    return objects.map((object) => ({ object, channel }));
  }
}

/** One object through each of many channels. */
export const manyChannels = defineFlow(import.meta.url, (q, args: { channels: number }) => {
  const passed = q
    .read("numbers", numbers(args.channels))
    .partition(custom((object: number) => object))
    .apply("passing", () => new Passing(), { channels: args.channels });
  return { passed: passed.collect() };
});
