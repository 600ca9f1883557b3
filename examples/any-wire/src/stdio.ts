import { fileURLToPath } from "node:url";
import { serve } from "@parley/core";
import { stdio } from "@parley/transport-stdio";
import { call, station } from "./round-trip.ts";

// The child is this program again, started as this one was, or by the command that follows `call`.
const [role, ...given] = process.argv.slice(2);
if (role === "serve") {
  await serve(station, "stdio:", { transports: [stdio()] });
} else {
  const flags = "Deno" in globalThis ? ["run", "--allow-all"] : [];
  const [program = process.execPath, ...rest] = given;
  const words = given.length > 0 ? rest : [...flags, fileURLToPath(import.meta.url), "serve"];
  await call("stdio:", stdio({ command: [program, ...words] }));
}
