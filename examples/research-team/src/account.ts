import type { Report } from "./contracts.ts";
import { describe } from "./describe.ts";
import type { Recorded } from "./record.ts";

/** Tells events, a line each, in the order in which they come. */
export function account(): (event: Recorded) => string {
  let start: number | undefined;
  const keys = new Set<string>();
  return (event) => {
    start ??= event.at;
    const time = ((event.at - start) / 1_000).toFixed(3).padStart(7);
    if (!("from" in event)) return `${time}  ··· ${event.kind === "killed" ? `${event.who}: ` : ""}${event.text}`;
    const isAgain = event.key !== undefined && keys.has(event.key);
    if (event.key !== undefined) keys.add(event.key);
    const wire = event.wire.padEnd(5);
    const who = `${event.from.padStart(11)} → ${event.to.padEnd(11)}`;
    return `${time}  ${wire} ${who}  ${describe(event, isAgain)}`;
  };
}

/** Tells what the team has found. */
export function summary({ question, found, quoted, lost }: Report): string {
  const counts = Object.entries(found).map(([theme, count]) => `${theme} in ${count} lines`);
  const lines = quoted.map(({ sonnet, line, theme, text }) => `  ${text}  (${sonnet}, ${line}: ${theme})`);
  const fate =
    lost.length === 0 ? "Nobody was lost." : `Lost on the way: ${lost.join(", ")}. What they were at was read again.`;
  return ["", question, `Found: ${counts.join(", ")}.`, "", ...lines, "", fate].join("\n");
}
