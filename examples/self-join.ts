/**
 * A stream joined with itself: any number of steps may take a stream, and one step may take it twice.
 *
 *     node dist/examples/self-join.js
 *     npx qstream run examples/self-join.ts
 *
 * Who works for whom, and whose boss is younger? The reader runs once, and sends each employee by two keys: as somebody
 * with a boss, and as the boss of others.
 */
import { pathToFileURL } from "node:url";
import { defineFlow, formatTable, items } from "qstream";

export type Employee = { readonly name: string; readonly born: number; readonly boss: string | null };

export const employees: readonly Employee[] = [
  { name: "Ahab", born: 1792, boss: null },
  { name: "Starbuck", born: 1820, boss: "Ahab" },
  { name: "Stubb", born: 1811, boss: "Ahab" },
  { name: "Flask", born: 1825, boss: "Ahab" },
  { name: "Queequeg", born: 1818, boss: "Starbuck" },
  { name: "Tashtego", born: 1824, boss: "Stubb" },
  { name: "Daggoo", born: 1819, boss: "Flask" },
  { name: "Ishmael", born: 1819, boss: "Starbuck" },
  { name: "Pip", born: 1838, boss: "Stubb" },
];

const selfJoin = defineFlow(import.meta.url, (q) => {
  const crew = q.read("crew", items(employees));
  const pairs = crew.join("bosses", crew, {
    left: "boss",
    right: "name",
    combine: (employee, boss) => ({ name: employee.name, boss: boss.name, younger: boss.born - employee.born }),
  });
  return {
    pairs: pairs.collect(),
    withYoungerBoss: pairs.filter("younger boss", (pair) => pair.younger > 0).collect(),
  };
});

export default selfJoin;

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const { pairs, withYoungerBoss } = await selfJoin.run();
  console.log(formatTable(pairs));
  console.log(`Boss younger: ${withYoungerBoss.map(({ name }) => name).join(", ")}`);
}
