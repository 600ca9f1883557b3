import { expect, it } from "vitest";
import { badge } from "./badge.ts";
import type { Certificate } from "./certificate.ts";

const certificate: Certificate = {
  ...{ $schema: "", certificate: 1, suite: { name: "@parley/conformance", version: "1.0.0" }, wire: "ws" },
  ...{ package: { name: "<&>", version: "1.0.0" }, core: null, broker: null, server: null, digest: "sha256:0" },
  ...{ node: "v24.0.0", platform: "linux x64", profile: "quick", seed: "7", issued: "", status: "conforms" },
  ...{ catalogue: 10, counts: { pass: 9, fail: 0, "non-strict": 0, error: 0, blocked: 0, unsupported: 1, "n/a": 0 } },
  results: Object.fromEntries(Array.from({ length: 10 }, (_, at) => [`RR-${at}`, at === 0 ? "unsupported" : "pass"])),
};

it("says what holds, for eyes and for screen readers, and of what", () => {
  const image = badge(certificate);
  expect(image).toContain(">9 of 9 hold</text>");
  expect(image).toContain("<title>Parley ws: 9 of 9 hold, &lt;&amp;&gt; 1.0.0 (@parley/conformance 1.0.0)</title>");
  expect(image).toContain('role="img" aria-label="Parley ws: 9 of 9 hold');
  expect(image).not.toMatch(/href|url\(|<script/);
});

it.each([
  [{ status: "fails", counts: { ...certificate.counts, pass: 7, fail: 2 } }, "2 of 9 fail"],
  [{ status: "incomplete", catalogue: 12 }, "9 hold, 2 not run"],
  [{ status: "incomplete", counts: { ...certificate.counts, pass: 6, blocked: 2, error: 1 } }, "6 hold, 3 not run"],
] as const)("%j reads %s", (more, text) => {
  expect(badge({ ...certificate, ...more })).toContain(`>${text}</text>`);
});

it("has a colour of its own for each status, with white text on it that can be read (WCAG 2.2, 1.4.3: 4.5 to 1)", () => {
  const colours = (["conforms", "fails", "incomplete"] as const).map(
    (status) => /fill="(#\w+)" d="M\d+ 0H\d+a/.exec(badge({ ...certificate, status }))?.[1] ?? "",
  );
  expect(new Set(colours).size).toBe(3);
  for (const colour of colours) expect(contrastWithWhite(colour)).toBeGreaterThanOrEqual(4.5);
});

function contrastWithWhite(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05);
}
