import { serve } from "@parley/core";
import { mqtt } from "../src/mqtt.ts";
import { homeAgent } from "./home.ts";

const [, , address = ""] = process.argv;
await serve(homeAgent(), address, { transports: [mqtt()] });
console.log("ready");
