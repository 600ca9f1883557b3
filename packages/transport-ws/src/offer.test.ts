import { apiKey, basic, bearer } from "@parley/core";
import type { Credential, Credentials } from "@parley/core/transport";
import { expect, it } from "vitest";
import { presentedBy } from "./credential-offer.ts";
import { offerOf, readOffer } from "./offer.ts";

/** What these credentials show; all here have it at hand. */
const shown = (credentials: Credentials): Credential => credentials.present?.() as Credential;

/** An opening handshake, as far as it is looked at. */
function handshake(protocols: string, rawHeaders: string[] = []): Parameters<typeof presentedBy>[0] {
  return { headers: { "sec-websocket-protocol": protocols }, rawHeaders } as Parameters<typeof presentedBy>[0];
}

it.each([
  ["a token", bearer("eyJ-_.~+/="), "authorization", "Bearer eyJ-_.~+/="],
  ["a user and a password", basic("ada", "naïve?>"), "authorization", undefined],
  ["an API key", apiKey("k".repeat(200)), "x-api-key", "k".repeat(200)],
])("%s comes out of a subprotocol as it went in", (_what, credentials, name, value) => {
  const credential = shown(credentials);
  const offer = offerOf(credential);
  expect(offer).toMatch(/^[\w.-]+$/);
  expect(readOffer(offer)).toEqual({ name, value: value ?? credential.header()[1] });
});

it("a header of one's own is refused before anything is dialled", () => {
  expect(() => offerOf(shown(apiKey("key", { header: "x-tenant-key" })))).toThrow(
    /x-tenant-key.*authorization and x-api-key/,
  );
});

it.each([
  "cloudevents.json",
  "parley.x-forwarded-user.YWRh",
  "parley.cookie.YT1i",
  "parley.authorization.A",
  "parley.authorization.",
])("%s shows nothing", (protocol) => {
  expect(readOffer(protocol)).toBeUndefined();
});

it("what is shown so stands beside the headers, and takes the place of none", () => {
  const offer = offerOf(shown(bearer("from-the-page")));
  const presented = presentedBy(handshake(`cloudevents.json, ${offer}`, ["Authorization", "Bearer from-a-proxy"]));
  expect(presented.header("authorization")).toEqual(["Bearer from-a-proxy", "Bearer from-the-page"]);
  expect(presentedBy(handshake(`cloudevents.json, ${offer}`)).header("authorization")).toEqual([
    "Bearer from-the-page",
  ]);
  expect(presentedBy(handshake("cloudevents.json")).header("authorization")).toEqual([]);
});
