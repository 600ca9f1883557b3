import { http } from "@parley/transport-http";
import { run } from "./round-trip.ts";

await run("http://127.0.0.1:0", http());
