import { existsSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { menu } from "./menu.ts";
import { findPages, relinked } from "./pages.ts";

const repository = fileURLToPath(new URL("../../..", import.meta.url));
const source = new URL("https://example.com/tree/");
const pages = findPages(repository);

describe("a link", () => {
  const from = { file: "docs/clients/http.md", page: "clients/http.md" };
  const known = [
    from,
    { file: "docs/README.md", page: "index.md" },
    { file: "docs/wire.md", page: "wire.md" },
    { file: "packages/core/README.md", page: "packages/core.md" },
  ];
  it.each([
    ["to another page", "[a](../wire.md#kinds)", "[a](../wire.md#kinds)"],
    ["to a README, by its folder", "[a](../../packages/core)", "[a](../packages/core.md)"],
    [
      "to a README, by its address in the repository",
      `[a](${source}packages/core/README.md)`,
      "[a](../packages/core.md)",
    ],
    ["to a file that is no page", "[a](../../packages/core/src/index.ts)", `[a](${source}packages/core/src/index.ts)`],
    ["within its page, or elsewhere", "[a](#b) [c](https://example.org/d)", "[a](#b) [c](https://example.org/d)"],
    ["in code", "```md\n[a](../wire.md)\n```", "```md\n[a](../wire.md)\n```"],
  ])("%s", (_what, text, expected) => {
    expect(relinked(text, from, known, source)).toBe(expected);
  });
});

it("all pages are in the menu, and nothing else is", () => {
  const linked = menu.flatMap(({ items }) => items.map(({ link }) => link)).filter((link) => link !== "/reference/");
  const written = pages.map(({ page }) => `/${page.replace(/(^|\/)index\.md$/, "$1").replace(/\.md$/, "")}`);
  expect(linked.sort()).toEqual(written.sort());
});

it.each(pages.map(({ file }) => file))("%s links to what exists", (file) => {
  const text = readFileSync(join(repository, file), "utf8").replace(/^```[\s\S]*?^```$/gm, "");
  const named = [...text.matchAll(/\]\((?![a-z]+:|#)([^)#\s]+)/g)].map(([, path = ""]) => path);
  const missing = named.filter((path) => !existsSync(join(repository, posix.join(posix.dirname(file), path))));
  expect(missing).toEqual([]);
});
