import { memory } from "@parley/core";
import { run } from "./round-trip.ts";

await run("memory://station", memory());
