import type { ProgressTarget } from "./progress.ts";
import { formatCount, formatNumber } from "./units.ts";

const barWidth = 24;
const redrawMs = 100;
const lineMs = 2000;

/** Shows how many seeds have been run: a bar that is redrawn on a terminal, a line now and then on anything else. */
export class SeedProgress {
  readonly #seeds: number;
  readonly #noun: string;
  readonly #target: ProgressTarget;
  readonly #startedAt = performance.now();
  #shownAt = performance.now();
  #done = 0;
  #count = 0;
  #isDrawn = false;

  /**
   * @param seeds - how many there are; 0 where that isn't known
   * @param noun - what a seed has many of
   */
  constructor(seeds: number, noun = "steps", target: ProgressTarget = process.stderr) {
    this.#seeds = seeds;
    this.#noun = noun;
    this.#target = target;
  }

  /** A seed has run, and had so many of them. */
  ran(count: number): void {
    this.#done++;
    this.#count += count;
    if (!this.#isDue()) return;
    const perSecond = this.#count / ((performance.now() - this.#startedAt) / 1000);
    const share = Math.min(1, this.#done / this.#seeds);
    const filled = Math.round(share * barWidth);
    const bar = `[${"#".repeat(filled)}${" ".repeat(barWidth - filled)}] `;
    const of = `${formatCount(this.#done)} of ${formatNumber(this.#seeds, "seed")}`;
    const text = `${of}, ${formatCount(perSecond)} ${this.#noun}/s`;
    this.#show(this.#target.isTTY === true ? bar + text : text);
  }

  /** So many executions have been tried. */
  tried(executions: number): void {
    if (this.#isDue()) this.#show(formatNumber(executions, "execution"));
  }

  end(): void {
    if (this.#isDrawn) this.#target.write("\r\x1b[2K");
    this.#isDrawn = false;
  }

  #isDue(): boolean {
    return performance.now() - this.#shownAt >= (this.#target.isTTY === true ? redrawMs : lineMs);
  }

  #show(text: string): void {
    this.#shownAt = performance.now();
    if (this.#target.isTTY === true) {
      this.#target.write(`\r\x1b[2K${text.slice(0, (this.#target.columns ?? 100) - 1)}`);
      this.#isDrawn = true;
    } else this.#target.write(`${text}\n`);
  }
}
