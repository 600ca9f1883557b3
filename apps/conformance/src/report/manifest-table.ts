import type { Manifest } from "@parley/core/transport";
import type { Report } from "../result.ts";
import { html, type Markup } from "./markup.ts";

/** The manifests of all wires, a row per promise. */
export function manifestTable({ manifests, transports }: Report): Markup {
  const declared = transports.flatMap((transport) => {
    const manifest = manifests[transport];
    return manifest ? [{ transport, promises: promisesOf(manifest) }] : [];
  });
  const keys = [...new Set(declared.flatMap(({ promises }) => [...promises.keys()]))];
  return html`<details><summary>The manifests that the wires were held to</summary><div class="scroll"><table class="plain">
<thead><tr><th></th>${declared.map(({ transport }) => html`<th scope="col">${transport}</th>`)}</tr></thead>
<tbody>${keys.map((key) => html`<tr><th scope="row">${key}</th>${declared.map(({ promises }) => html`<td>${promises.get(key) ?? ""}</td>`)}</tr>`)}</tbody></table></div></details>`;
}

function promisesOf(manifest: Manifest): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(manifest).flatMap(([key, value]): [string, string][] =>
      typeof value === "object" && value !== null
        ? Object.entries(value).map(([inner, one]) => [`${key}.${inner}`, String(one)])
        : [[key, String(value)]],
    ),
  );
}
