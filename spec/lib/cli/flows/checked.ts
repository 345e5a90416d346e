// Flows for `qstream check`: one whose steps are what they declare, one with a step that claims too much, and others.
import { defineFlow, items, numbers, tagged, type Operator, type Task } from "qstream";

interface Order {
  readonly item: string;
  readonly price: number;
}

const orders: readonly Order[] = Array.from({ length: 40 }, (_, at) => ({ item: "abc"[at % 3] ?? "", price: at }));
const stock = ["a", "b", "d"].map((item) => ({ item, shelf: `${item}1` }));

/** Keeps the price that came last. */
class LastPrice implements Operator<{ in: Order }, Order> {
  readonly #prices = new Map<string, number>();

  execute({ objects }: Task<{ in: Order }>): void {
    for (const { item, price } of objects) this.#prices.set(item, price);
  }

  done(): Order[] {
    return [...this.#prices].map(([item, price]) => ({ item, price }));
  }
}

export default defineFlow(import.meta.url, (q) => {
  const read = q.read("orders", items(orders)).filter("not free", ({ price }) => price > 0);
  const joined = read.join("shelves", q.read("stock", items(stock)), { left: "item", right: "item" });
  return {
    sums: joined
      .reduceByKey(
        "sums",
        ({ shelf }) => shelf,
        () => 0,
        (sum, { price }) => sum + price,
      )
      .collect(),
    few: joined.limit("few", 2).toJsonLines("/nowhere/is/written"),
  };
});

export const last = defineFlow(import.meta.url, { most: "int32" }, (q, { most }) => ({
  last: q
    .read("orders", items(orders.slice(0, most)))
    .apply("last price", () => new LastPrice(), { channels: 1, declares: "confluent" })
    .collect(),
}));

/** Meant for machines that this one isn't. */
export const elsewhere = defineFlow(import.meta.url, (q) => ({
  numbers: q
    .read("numbers", numbers(0, 9))
    .distinct("each once", undefined, { place: tagged("gpu", 2) })
    .collect(),
}));

/** Never ends by itself. */
export const endless = defineFlow(import.meta.url, (q) => ({
  distinct: q.read("numbers", numbers(0, 1e12)).distinct("each once").collect(),
}));

export const plain = defineFlow(import.meta.url, (q) => ({ numbers: q.read("numbers", numbers(0, 3)).collect() }));

export const failing = defineFlow(import.meta.url, (q) => ({
  numbers: q
    .read("numbers", numbers(0, 3))
    .tap("fails", () => {
      throw new Error("no more");
    })
    .distinct("each once")
    .collect(),
}));
