import { connectedComponentsExample } from "./graphs/connected-components-checks.ts";
import { pageRankExample } from "./graphs/page-rank-checks.ts";
import { shortestPathsExample } from "./graphs/shortest-paths-checks.ts";
import { kMeansExample } from "./k-means/k-means-checks.ts";
import type { LoopExample } from "./loop-example.ts";

export const loopExamples: readonly LoopExample[] = [
  connectedComponentsExample,
  pageRankExample,
  shortestPathsExample,
  kMeansExample,
];
