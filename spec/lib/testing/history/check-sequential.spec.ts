import * as assert from "uvu/assert";
import {
  checkLinearizable,
  checkSequential,
  keyValueModel,
  registerModel,
  type KeyValueOperation,
  type Model,
  type RegisterOperation,
} from "../../../../lib/testing/index.ts";
import { suite } from "../../../kit/suite.ts";
import { oneByOne, recorded } from "./events.ts";

const test = suite("checkSequential");

const read = { kind: "read" } as const;
const write = (value: number) => ({ kind: "write", value }) as const;

test("a stale read is sequential and not linearizable; reads of one client don't go back", () => {
  const stale = oneByOne<RegisterOperation<number>, unknown>(
    ["a", write(1), undefined],
    ["b", read, 0],
    ["b", read, 1],
  );
  assert.is(checkLinearizable(stale, registerModel(0)).verdict, "violated");
  assert.is(checkSequential(stale, registerModel(0)).verdict, "ok");
  const back = oneByOne<RegisterOperation<number>, unknown>(["a", write(1), undefined], ["b", read, 1], ["b", read, 0]);
  const report = checkSequential(back, registerModel(0));
  assert.is(report.verdict, "violated");
  assert.is(
    report.text,
    `not sequentially consistent
the longest order:
  #1 a: write 1    then 1
  #2 b: read -> 1  then 1
what has no place in it:
  #3 b: read -> 0`,
  );
});

// The store buffers of processors: each looks before what it has written is seen.
test("two clients that write one key each and don't see the other's aren't sequential, though each key is", () => {
  const put = (key: string) => ({ kind: "put", key, value: 1 }) as const;
  const get = (key: string) => ({ kind: "get", key }) as const;
  const history = oneByOne<KeyValueOperation<number>, unknown>(
    ["a", put("x"), undefined],
    ["b", put("y"), undefined],
    ["a", get("y"), null],
    ["b", get("x"), null],
  );
  assert.is(checkSequential(history, keyValueModel<number>()).verdict, "violated");
});

// Herlihy and Wing, 1990, section 3.3: sequential consistency isn't local.
test("two queues that are sequential each by itself aren't together", () => {
  type On = { readonly queue: "p" | "q"; readonly enqueue?: string };
  type Queues = Readonly<Record<"p" | "q", readonly string[]>>;
  const queues: Model<Queues, On, unknown> = {
    init: { p: [], q: [] },
    step(state, { queue, enqueue }, result) {
      const own = state[queue];
      if (enqueue !== undefined) return [{ ...state, [queue]: [...own, enqueue] }];
      return own[0] === result ? [{ ...state, [queue]: own.slice(1) }] : [];
    },
  };
  const calls = [
    ["A", { queue: "p", enqueue: "x" }, undefined],
    ["B", { queue: "q", enqueue: "y" }, undefined],
    ["A", { queue: "q", enqueue: "x" }, undefined],
    ["B", { queue: "p", enqueue: "y" }, undefined],
    ["A", { queue: "p" }, "y"],
    ["B", { queue: "q" }, "x"],
  ] as const;
  for (const only of ["p", "q"]) {
    const part = oneByOne<On, unknown>(...calls.filter(([, { queue }]) => queue === only));
    assert.is(checkSequential(part, queues).verdict, "ok", only);
  }
  assert.is(checkSequential(oneByOne<On, unknown>(...calls), queues).verdict, "violated");
});

test("an unknown call of one client isn't kept back by the same one of another", () => {
  const history = recorded<RegisterOperation<number>>(
    ...([
      ["a", "begins", read],
      ["a", "ok", 1],
      ["a", "begins", write(1)],
      ["a", "unknown"],
    ] as const),
    ...([
      ["b", "begins", write(1)],
      ["b", "unknown"],
    ] as const),
  );
  assert.is(checkSequential(history, registerModel(0)).verdict, "ok");
  const alone = recorded<RegisterOperation<number>>(
    ...([
      ["a", "begins", read],
      ["a", "ok", 1],
      ["a", "begins", write(1)],
      ["a", "unknown"],
    ] as const),
  );
  assert.is(checkSequential(alone, registerModel(0)).verdict, "violated");
});

test("a search that meets its limit is unknown", () => {
  const history = oneByOne<RegisterOperation<number>, unknown>(
    ...Array.from({ length: 30 }, (_, at) => [`client ${at % 5}`, write(at), undefined] as const),
    ["reader", read, 99],
  );
  const report = checkSequential(history, registerModel(0), { stepsMax: 1000 });
  assert.is(report.verdict, "unknown");
  assert.match(
    report.text,
    /^not known to be sequentially consistent: the search met its limit of 1000 steps; raise stepsMax/,
  );
});

test.run();
