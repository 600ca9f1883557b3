import { html } from "../report/markup.ts";
import type { Certificate, CertificateStatus } from "./certificate.ts";

const HEIGHT = 20;
/** Left and right of a text, px. */
const PADDING = 7;
/** Dark enough for white text (WCAG 2.2, 1.4.3). */
const colours: Readonly<Record<CertificateStatus, string>> = {
  conforms: "#1a7f37",
  fails: "#c5221f",
  incomplete: "#8a5a00",
};

/** A certificate at a glance, as an SVG image that needs nothing else. */
export function badge(certificate: Certificate): string {
  const { suite, package: from, wire, status } = certificate;
  const label = `Parley ${wire}`;
  const value = summary(certificate);
  const [left, right] = [widthOf(label), widthOf(value)];
  const width = left + right;
  const title = `${label}: ${value}${from ? `, ${from.name} ${from.version}` : ""} (${suite.name} ${suite.version})`;
  const image = html`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${HEIGHT}" viewBox="0 0 ${width} ${HEIGHT}" role="img" aria-label="${title}">
<title>${title}</title>
<path fill="#32383f" d="M4 0H${left}V${HEIGHT}H4a4 4 0 0 1-4-4V4a4 4 0 0 1 4-4z"/><path fill="${colours[status]}" d="M${left} 0H${width - 4}a4 4 0 0 1 4 4V${HEIGHT - 4}a4 4 0 0 1-4 4H${left}z"/>
<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="11">${text(label, left / 2, left)}${text(value, left + right / 2, right)}</g>
</svg>
`;
  return image.markup;
}

function summary({ status, counts, catalogue, results }: Certificate): string {
  const { pass, fail } = counts;
  if (status === "fails") return `${fail} of ${fail + pass} fail`;
  if (status === "conforms") return `${pass} of ${pass} hold`;
  const left = catalogue - Object.keys(results).length + counts.blocked + counts.error;
  return `${pass} hold, ${left} not run`;
}

/** The width is given, so that a font that is wider or narrower than expected still fits. */
function text(content: string, middle: number, width: number) {
  return html`<text x="${middle}" y="14" textLength="${width - 2 * PADDING}" lengthAdjust="spacingAndGlyphs">${content}</text>`;
}

/** About that of Verdana at 11 px. */
function widthOf(content: string): number {
  const narrow = content.match(/[ ,.:ijl]/g)?.length ?? 0;
  return Math.round(7 * (content.length - narrow) + 4 * narrow) + 2 * PADDING;
}
