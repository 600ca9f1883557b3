import { mqtt } from "@parley/transport-mqtt";
import { run } from "./round-trip.ts";

await run("mqtt://127.0.0.1:1883/agents/station", mqtt());
