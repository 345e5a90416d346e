import { bankTransfers } from "./bank-transfers.ts";
import { big } from "./big.ts";
import { boundedBuffer } from "./bounded-buffer.ts";
import { chameneos } from "./chameneos.ts";
import { concurrentDictionary } from "./concurrent-dictionary.ts";
import { counting } from "./counting.ts";
import { diningPhilosophers } from "./dining-philosophers.ts";
import { forkJoinCreate } from "./fork-join-create.ts";
import { forkJoinThroughput } from "./fork-join-throughput.ts";
import { nQueens } from "./n-queens.ts";
import { pingPong } from "./ping-pong.ts";
import type { Program } from "./program.ts";
import { shortestPaths } from "./shortest-paths.ts";
import { sieve } from "./sieve.ts";
import { skynet } from "./skynet.ts";
import { threadRing } from "./thread-ring.ts";

/** The suite: after Imam and Sarkar, "Savina - An Actor Benchmark Suite" (2014), and the skynet of the Go community. */
export const programs: readonly Program[] = [
  pingPong,
  threadRing,
  counting,
  forkJoinThroughput,
  forkJoinCreate,
  big,
  chameneos,
  concurrentDictionary,
  diningPhilosophers,
  boundedBuffer,
  bankTransfers,
  sieve,
  nQueens,
  shortestPaths,
  skynet,
] as readonly Program[];
