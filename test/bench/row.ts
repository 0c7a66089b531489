/** One line of `npm run bench`: what was measured and, where there is a goal, whether it holds. */
export interface BenchRow {
  /** `G12`, as in the list of goals; '' for a figure that no goal speaks of. */
  readonly goal: string;
  readonly name: string;
  readonly value: number;
  /** `x` for a ratio. */
  readonly unit: string;
  /** The value may be at most this. */
  readonly bound?: number;
  readonly holds?: boolean;
}
