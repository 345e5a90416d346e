/**
 * Three million flights: every flight within the United States from January to June 2001, and the towers that saw them.
 *
 *     npm start
 *     node dist/examples/flights.js [--slots N] [--isolation thread|process] [--store URL] [--until 2001-02-01]
 *     npm start -- --store redis://127.0.0.1:6379
 *     npx qstream run examples/flights.ts
 *
 * A Parquet reader and a CSV reader; a partition function of its own, which sends each flight to two channels: to the
 * one with the tower of its origin and to the one with the tower of its destination; a stateful operator with two
 * channels a slot, which keeps a timeline for each airport; a join with the airports' names; a sink. Then where the
 * channels ran, what came out, and how fast it was.
 */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import {
  csv,
  custom,
  defineFlow,
  formatPlacement,
  formatSummary,
  formatTable,
  parquet,
  perSlot,
  schema,
  showProgress,
  type Context,
  type Operator,
  type Row,
  type Stateful,
  type Task,
} from "qstream";

const flightColumns = schema({
  date: "timestamp", // of the take-off, in local time
  delay: "int32", // minutes that the landing was late
  origin: "string",
  destination: "string",
});
const airportColumns = schema({ iata: "string", city: "string?", state: "string?" });

/** What the towers need of a flight. `takeOff` is in minutes since New Year's, `delay` in minutes at the landing. */
export interface Flight {
  readonly origin: string;
  readonly destination: string;
  readonly takeOff: number;
  readonly delay: number;
}

/** What a tower tells of its airport at the end. */
export interface TowerReport {
  readonly iata: string;
  readonly takeOffs: number;
  /** Most take-offs within 60 minutes, and when these began. */
  readonly rush: number;
  readonly rushFrom: Date;
  readonly landings: number;
  /** Landings that were more than 15 minutes late. */
  readonly late: number;
  /** The day on which planes landed latest, of those with at least 20 landings; and their mean delay in minutes. */
  readonly worstDay: Date | undefined;
  readonly worstDelay: number;
}

const minuteMs = 60_000;
const dayMinutes = 24 * 60;
const intervalMinutes = 10;
const firstDay = Date.UTC(2001, 0, 1);
const days = 182; // until July 1st: some flights took off at its first minute
const lateMinutes = 15;

function flightOf({ date, delay, origin, destination }: Row<typeof flightColumns>): Flight {
  return { origin, destination, takeOff: (date.getTime() - firstDay) / minuteMs, delay };
}

/** The channel that has an airport's tower. Codes of three letters are spread well enough by this. */
function channelOf(airport: string, channels: number): number {
  return (airport.charCodeAt(0) * 961 + airport.charCodeAt(1) * 31 + airport.charCodeAt(2)) % channels;
}

/** A flight is the business of two towers, which may be in the same channel. */
const bothTowers = custom(function bothTowers({ origin, destination }: Flight, { channels }) {
  const from = channelOf(origin, channels);
  const to = channelOf(destination, channels);
  return from === to ? from : [from, to];
});

/** What the tower of one airport writes down: plain data and no class of its own, so that a snapshot can hold it as it is. */
interface Tower {
  readonly takeOffs: Uint16Array;
  readonly landings: Uint16Array;
  readonly delays: Int32Array;
  late: number;
}

function newTower(): Tower {
  return {
    takeOffs: new Uint16Array((days * dayMinutes) / intervalMinutes),
    landings: new Uint16Array(days),
    delays: new Int32Array(days),
    late: 0,
  };
}

/** All towers of one channel. What it keeps doesn't depend on the order of flights: the operator is confluent. */
class Towers implements Operator<{ in: Flight }, TowerReport>, Stateful<Map<string, Tower>> {
  #towers = new Map<string, Tower>();

  execute({ objects }: Task<{ in: Flight }>, { channel, channels }: Context): void {
    for (const { takeOff, delay, origin, destination } of objects) {
      if (channelOf(origin, channels) === channel) {
        const { takeOffs } = this.#tower(origin);
        const interval = Math.floor(takeOff / intervalMinutes);
        takeOffs[interval] = (takeOffs[interval] ?? 0) + 1;
      }
      if (channelOf(destination, channels) === channel) {
        const tower = this.#tower(destination);
        const day = Math.floor(takeOff / dayMinutes);
        tower.landings[day] = (tower.landings[day] ?? 0) + 1;
        tower.delays[day] = (tower.delays[day] ?? 0) + delay;
        if (delay > lateMinutes) tower.late += 1;
      }
    }
  }

  *done(): Generator<TowerReport, void> {
    for (const [iata, tower] of this.#towers) yield reportOf(iata, tower);
  }

  snapshot(): Map<string, Tower> {
    return this.#towers;
  }

  restore(towers: Map<string, Tower>): void {
    this.#towers = towers;
  }

  #tower(airport: string): Tower {
    let tower = this.#towers.get(airport);
    if (tower === undefined) this.#towers.set(airport, (tower = newTower()));
    return tower;
  }
}

function reportOf(iata: string, { takeOffs, landings, delays, late }: Tower): TowerReport {
  const [rush, rushInterval] = fullestHour(takeOffs);
  const [worstDelay, worst] = latestDay(landings, delays);
  return {
    iata,
    takeOffs: sum(takeOffs),
    rush,
    rushFrom: new Date(firstDay + rushInterval * intervalMinutes * minuteMs),
    landings: sum(landings),
    late,
    worstDay: worst === undefined ? undefined : new Date(firstDay + worst * dayMinutes * minuteMs),
    worstDelay,
  };
}

/** The largest sum over an hour, and its first interval: a window that slides over the timeline. */
function fullestHour(counts: Uint16Array): readonly [count: number, interval: number] {
  const width = 60 / intervalMinutes;
  let [window, most, from] = [0, 0, 0];
  for (const [last, count] of counts.entries()) {
    window += count - (counts[last - width] ?? 0);
    if (window > most) [most, from] = [window, Math.max(0, last - width + 1)];
  }
  return [most, from];
}

function latestDay(landings: Uint16Array, delays: Int32Array): readonly [meanDelay: number, day: number | undefined] {
  let [most, worst]: [number, number | undefined] = [0, undefined];
  for (const [day, count] of landings.entries()) {
    const mean = count < 20 ? 0 : (delays[day] ?? 0) / count;
    if (mean > most) [most, worst] = [mean, day];
  }
  return [most, worst];
}

function sum(counts: Uint16Array): number {
  return counts.reduce((total, count) => total + count, 0);
}

/** `until` leaves out the flights from that day on ("2001-01-08"), and `top` says how many airports are told of. */
const flights = defineFlow(import.meta.url, { until: "string?", top: "int32?" }, (q, { until, top = 15 }) => {
  const data = join(dirname(createRequire(import.meta.url).resolve("vega-datasets")), "../data");
  const where = until === undefined ? [] : ([["date", "<", new Date(until)]] as const);
  const towers = q
    .read("flights", parquet(join(data, "flights-3m.parquet"), { columns: flightColumns, where }))
    .map("flight", flightOf)
    .partition(bothTowers)
    .apply("towers", () => new Towers(), { place: perSlot(2), declares: "confluent" });
  const busiest = towers
    .join("names", q.read("airports", csv(join(data, "airports.csv"), { schema: airportColumns })), {
      left: "iata",
      right: "iata",
      how: "left",
      combine: (tower, airport) => ({
        ...tower,
        city: airport === undefined ? "?" : `${airport.city}, ${airport.state}`,
      }),
    })
    .topK("top", top, ["takeOffs", "iata"], { order: "descending" });
  return { busiest: busiest.collect() };
});

export default flights;

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  await main().catch((error: unknown) => {
    console.error(String(error));
    process.exitCode = 1;
  });
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      slots: { type: "string" },
      isolation: { type: "string" },
      store: { type: "string" },
      until: { type: "string" },
    },
  });
  if (values.isolation !== undefined && values.isolation !== "thread" && values.isolation !== "process") {
    throw new Error(`--isolation is thread or process, not ${values.isolation}`);
  }
  const show = showProgress();
  let placement = "";
  const execution = await flights.start(values.until === undefined ? {} : { until: values.until }, {
    ...(values.slots === undefined ? {} : { slots: Number(values.slots) }),
    ...(values.isolation === undefined ? {} : { isolation: values.isolation }),
    ...(values.store === undefined ? {} : { store: values.store }),
    onEvent: (event) => {
      if (event.kind === "placed") placement = formatPlacement(event.placement);
      show(event);
    },
  });
  const { busiest } = await execution.outputs;
  console.log(`\nWhich channels ran where\n\n${placement}`);
  console.log(`The busiest airports of early 2001. Late: landed more than ${lateMinutes} minutes after schedule.\n`);
  console.log(formatTable(busiest.map(tableRow)));
  if (execution.metrics !== undefined) process.stdout.write(formatSummary(execution.metrics));
}

function tableRow(airport: TowerReport & { readonly city: string }): Record<string, unknown> {
  const { iata, city, takeOffs, rush, rushFrom, landings, late, worstDay, worstDelay } = airport;
  return {
    airport: iata,
    city,
    "take-offs": takeOffs,
    "busiest hour": rush,
    from: rushFrom.toISOString().slice(5, 16).replace("T", " "),
    late: `${Math.round((late / Math.max(1, landings)) * 100)} %`,
    "worst day": worstDay?.toISOString().slice(5, 10),
    "delay then": `${Math.round(worstDelay)} min`,
  };
}
