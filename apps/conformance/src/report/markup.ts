/** Text that is markup already. */
export interface Markup {
  readonly markup: string;
}

/** A template for HTML and SVG: whatever is filled in is escaped, unless it is markup itself. Lists are joined, `undefined` and `false` are nothing. */
export function html(strings: TemplateStringsArray, ...values: readonly unknown[]): Markup {
  return { markup: strings.map((part, at) => part + (at < values.length ? rendered(values[at]) : "")).join("") };
}

/** Text that is known to be markup: our own styles. */
export function raw(markup: string): Markup {
  return { markup };
}

function rendered(value: unknown): string {
  if (value === undefined || value === false) return "";
  if (Array.isArray(value)) return value.map(rendered).join("");
  if (typeof value === "object" && value !== null && "markup" in value) return String(value.markup);
  return String(value)
    .toWellFormed()
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;")
    .replaceAll("\u0000", "\ufffd");
}
