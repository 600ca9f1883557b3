/** What every process of the team does alike. */
import { parseArgs } from "node:util";

/** The options of the command line, `--name=value`; none of those that are named may be missing. */
export function options<Name extends string>(...names: readonly Name[]): Readonly<Record<Name, string>> {
  const { values } = parseArgs({ options: Object.fromEntries(names.map((name) => [name, { type: "string" }])) });
  const missing = names.filter((name) => typeof values[name] !== "string");
  if (missing.length > 0) throw new Error(`missing: ${missing.map((name) => `--${name}`).join(", ")}`);
  return values as Record<Name, string>; // checked above
}

/** Ends this process when the one that started it is gone, whatever became of it. */
export function endWithParent(): void {
  process.once("disconnect", () => process.exit());
  process.channel?.unref();
}
