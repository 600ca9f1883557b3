import { globSync } from "node:fs";
import { basename } from "node:path";
import type { ViteUserConfig } from "vitest/config";

const config: ViteUserConfig = {
  test: {
    // CI reads its totals from the file.
    reporters: process.env["CI"] ? ["default", ["json", { outputFile: "reports/vitest.json" }]] : ["default"],
    // Limits that tell what hangs, not what is slow: the machine may be. What has to be quick says so itself.
    testTimeout: 15_000,
    hookTimeout: 15_000,
    expect: { poll: { timeout: 10_000 } },
    projects: globSync("{packages,apps,examples}/*/package.json", { cwd: import.meta.dirname }).map((file) => {
      const root = file.replace(/.package\.json$/, "");
      return {
        extends: true,
        root,
        test: {
          name: basename(root),
          environment: "node",
          include: ["src/**/*.test.ts", "test/**/*.test.ts"],
          // What examples and pages show is compiled and run, each in processes of its own.
          ...(root.startsWith("examples") ? { testTimeout: 30_000 } : {}),
        },
      };
    }),
  },
};

export default config;
