#!/usr/bin/env node
// The command `parley-conformance`. What it needs is loaded only once it is known that this Node can.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major > 22 || (major === 22 && minor >= 19)) {
  const [{ main }, { processScreen }] = await Promise.all([import("./main.ts"), import("./report/screen.ts")]);
  process.exitCode = await main(process.argv.slice(2), {
    directory: process.cwd(),
    screen: processScreen(),
    complain: (text) => void process.stderr.write(text),
  });
} else {
  process.stderr.write(`parley-conformance needs Node 22.19 or later, and this is ${process.versions.node}\n`);
  process.exitCode = 2;
}

export {};
