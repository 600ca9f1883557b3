import type { Report } from "../result.ts";
import { type Group, groups } from "../scenario.ts";
import { scenarios } from "../scenarios/index.ts";

/** The command that makes the same run again. Brokers, and what is secret in addresses, have to be added. */
export function commandOf({ transports, tested, profile, seed, results }: Report): string {
  const ran = new Set(results.map(({ scenario }) => scenario));
  const only =
    ran.size === scenarios.length ? [] : (Object.keys(groups) as Group[]).flatMap((group) => chosen(group, ran));
  const urls = transports.flatMap((wire) => tested[wire]?.server?.url ?? []);
  const options = [
    ["transport", transports],
    ["url", urls],
    ["only", only],
    ["profile", [profile]],
    ["seed", [seed]],
  ] as const;
  const given = options.filter(([, values]) => values.length > 0);
  return ["parley-conformance", ...given.map(([name, values]) => `--${name} ${values.join(",")}`)].join(" ");
}

/** A group, if all of it ran, else those of it that did. */
function chosen(group: Group, ran: ReadonlySet<string>): readonly string[] {
  const all = scenarios.filter((scenario) => scenario.group === group).map(({ id }) => id);
  const some = all.filter((id) => ran.has(id));
  return some.length > 0 && some.length === all.length ? [group] : some;
}
