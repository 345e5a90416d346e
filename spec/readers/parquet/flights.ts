import { loadPolars } from "../../../lib/core/batch/libraries.ts";
import type { FileSystem } from "../../../lib/core/contracts/file-system.ts";
import { openFileSystem } from "../../../lib/files/index.ts";

/** A row of the file that specs of the Parquet reader read. */
export interface Flight {
  origin: string;
  delay: number | null;
  distance: bigint;
  at: Date;
  late: boolean;
}

/** Sorted by distance, so that statistics tell row groups apart. Distances are above 2^53 from row 5,000 on. */
export const flights: Flight[] = Array.from({ length: 10_000 }, (_, n) => ({
  origin: ["SFO", "OAK", "SJC", "ÅÄÖ"][n % 4] as string,
  delay: n % 7 === 0 ? null : (n % 100) - 20,
  distance: n < 5000 ? BigInt(n) : 2n ** 53n + BigInt(n),
  at: new Date(Date.UTC(2001, 0, 1) + n * 60_000 - (n === 3 ? 1e12 : 0)),
  late: n % 3 === 0,
}));
/** Writes them in row groups of 1,000 rows. */
export async function writeFlights(path: string): Promise<void> {
  const polars = loadPolars();
  const frame = polars.DataFrame({
    origin: flights.map(({ origin }) => origin),
    delay: flights.map(({ delay }) => delay),
    digits: flights.map(({ distance }) => distance.toString()),
    at: flights.map(({ at }) => at),
    late: flights.map(({ late }) => late),
  });
  await frame
    .select(
      polars.col("origin"),
      polars.col("delay").cast(polars.Int64),
      polars.col("digits").cast(polars.Int64).alias("distance"),
      polars.col("at").cast(polars.Datetime("us")),
      polars.col("late"),
    )
    .lazy()
    .sinkParquet(path, {
      rowGroupSize: 1000,
      statistics: true,
      sinkOptions: { syncOnClose: "none", maintainOrder: true, mkdir: false },
    })
    .collect();
}
/** The same files, but as if they were remote; notes how many bytes were asked for. */
export function remoteFiles(): { readonly files: FileSystem; readonly fetched: () => number } {
  const files = openFileSystem();
  let fetched = 0;
  const remote: FileSystem = {
    list: (paths) => files.list(paths),
    create: (target) => files.create(target),
    remove: (targets) => files.remove(targets),
    localPath: () => undefined,
    async open(entry) {
      const file = await files.open(entry);
      return {
        entry: file.entry,
        close: () => file.close(),
        read(position, length) {
          fetched += length;
          return file.read(position, length);
        },
      };
    },
  };
  return { files: remote, fetched: () => fetched };
}
