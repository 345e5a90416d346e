import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** An order with its customer's country, as a nested loop finds them in the files of lessons 1 and 2. */
export interface OrderOfCountry {
  readonly country: string;
  readonly cents: number;
}

/** Joins the two files by a plain loop. */
export function joinByLoop(): OrderOfCountry[] {
  const customers = linesOf("customers.jsonl").map((line) => JSON.parse(line) as { id: number; country: string });
  const orders = linesOf("orders.csv")
    .slice(1)
    .map((line) => line.split(",").map(Number));
  return orders.flatMap(([, customer, cents = 0]) =>
    customers.filter(({ id }) => id === customer).map(({ country }) => ({ country, cents })),
  );
}

function linesOf(file: string): string[] {
  // From dist/spec/examples/lessons, where this runs.
  const path = fileURLToPath(new URL(`../../../../examples/data/${file}`, import.meta.url));
  return readFileSync(path, "utf8").trim().split("\n");
}
