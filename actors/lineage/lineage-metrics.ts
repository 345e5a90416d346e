/** What was written of an execution, for it to survive losses. */
export interface LineageMetrics {
  /** Records of tasks, and their bytes without what a store adds. */
  readonly records: number;
  readonly recordBytes: number;
  readonly checkpoints: number;
  readonly checkpointBytes: number;
}
