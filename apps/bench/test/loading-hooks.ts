/** For `node --import`: writes the addresses of all modules that a program has loaded, as JSON, when it ends. */
import { writeSync } from "node:fs";
import { registerHooks } from "node:module";

const loaded: string[] = [];
registerHooks({
  load(url, context, next) {
    loaded.push(url);
    return next(url, context);
  },
});
process.once("exit", () => writeSync(1, JSON.stringify(loaded)));
