/** One thing that is wrong with the configuration, where it is, and what was probably meant. */
export interface ConfigProblem {
  /** The file as it was named, or the variable or flag the value came from: `TOLLKEEPER_PORT`, `--port`. */
  readonly file: string;
  /** From 1; 0 when it is not in a file. */
  readonly line: number;
  readonly column: number;
  /** `plans.free.limits[0].per`; empty for the whole file. */
  readonly path: string;
  readonly message: string;
  /** The nearest valid key, name or word. */
  readonly suggestion?: string;
}

/** `tollkeeper.yaml:12:7 plans.free.modles: unknown key "modles". Did you mean "models"?` */
export function formatProblem(problem: ConfigProblem): string {
  const place =
    problem.line > 0 ? `${problem.file}:${problem.line}:${problem.column}` : problem.file;
  const where = problem.path === '' ? place : `${place} ${problem.path}`;
  const hint = problem.suggestion === undefined ? '' : `. Did you mean "${problem.suggestion}"?`;
  return `${where}: ${problem.message}${hint}`;
}
