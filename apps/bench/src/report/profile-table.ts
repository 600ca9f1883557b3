import { parts } from "../profile/part.ts";
import type { Profile } from "../profile/profile.ts";
import { figure, markdownTable } from "./markdown-table.ts";

/** What the time of each contender goes into. */
export function profileTable(profiles: readonly Profile[]): string {
  const rows = profiles.map((profile) => [
    profile.wire,
    profile.measure,
    profile.size,
    profile.contender,
    figure(busyOf(profile)),
    ...parts.map((part) => figure(profile.busyUs[part])),
    waits(profile),
  ]);
  return markdownTable(["", "", "", "", "µs", ...parts, "waits"], rows);
}

/** The line of one contender. */
export function profileLine(profile: Profile): string {
  const { wire, measure, size, contender, busyUs } = profile;
  const costs = parts.map((part) => `${part} ${figure(busyUs[part])}`).join("  ");
  return `${wire.padEnd(5)}  ${"profile".padEnd(8)}  ${measure.padEnd(6)}  ${size}  ${contender.padEnd(9)}  ${figure(busyOf(profile))} µs: ${costs}  waits ${waits(profile)}`;
}

function busyOf({ busyUs }: Profile): number {
  return parts.reduce((sum, part) => sum + busyUs[part], 0);
}

function waits({ idle: { calling, serving } }: Profile): string {
  return [calling, ...(serving === undefined ? [] : [serving])]
    .map((share) => `${Math.round(share * 100)} %`)
    .join(", ");
}
