import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { chart } from "./chart.ts";
import { readDocument } from "./document.ts";
import { markdown } from "./markdown.ts";

const docs = join(import.meta.dirname, "../../../../docs");

it("docs/performance.md and its chart are what the figures beside them say", () => {
  const document = readDocument(join(docs, "performance.json"));
  const advice = "write it again: pnpm bench --from docs/performance.json --docs docs";
  expect(readFileSync(join(docs, "performance.md"), "utf8"), advice).toBe(markdown(document, "performance.svg"));
  expect(readFileSync(join(docs, "performance.svg"), "utf8"), advice).toBe(chart(document));
});
