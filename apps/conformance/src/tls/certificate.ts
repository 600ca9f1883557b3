import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { isIPv4 } from "node:net";
import { bits, boolean, explicit, implicit, integer, octets, oid, sequence, set, time, utf8 } from "./der.ts";

/** A certificate and its key, made for one run. */
export interface Certified {
  /** PEM */
  readonly cert: string;
  /** PEM */
  readonly key: string;
}

/** Somebody who signs certificates. */
export interface Authority extends Certified {
  issue(subject: CertificateSubject): Certified;
}

/** What a certificate is to say. */
export interface CertificateSubject {
  /** Host names, addresses and URIs that it is for. */
  readonly names: readonly string[];
  /** Whether it ran out an hour ago. @default false */
  readonly expired?: boolean;
}

/** Names that a server of this machine has. */
export const HERE: readonly string[] = ["127.0.0.1", "localhost"];

const HOUR_MS = 3_600_000;

const ecdsaWithSha256 = sequence(oid("1.2.840.10045.4.3.2"));

/** Makes an authority, whose own certificate it has signed itself. */
export function authority(name: string): Authority {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const constraints = extension("2.5.29.19", sequence(boolean(true)), true);
  const own = certificate({ name, issuer: name, publicKey, signer: privateKey, extensions: [constraints] });
  return {
    cert: own,
    key: pemOf(privateKey),
    issue({ names, expired = false }) {
      const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
      const alternatives = extension("2.5.29.17", sequence(...names.map(alternative)));
      const cert = certificate({
        name: names[0] ?? name,
        issuer: name,
        publicKey: pair.publicKey,
        signer: privateKey,
        extensions: [alternatives],
        endsInMs: expired ? -HOUR_MS : 24 * HOUR_MS,
      });
      return { cert, key: pemOf(pair.privateKey) };
    },
  };
}

/** RFC 5280, 4.1. */
function certificate({
  name,
  issuer,
  publicKey,
  signer,
  extensions,
  endsInMs = 24 * HOUR_MS,
}: {
  readonly name: string;
  readonly issuer: string;
  readonly publicKey: KeyObject;
  readonly signer: KeyObject;
  readonly extensions: readonly Buffer[];
  readonly endsInMs?: number;
}): string {
  const now = Date.now();
  const tbs = sequence(
    explicit(0, integer(2)),
    integer(0x40, ...randomBytes(15)),
    ecdsaWithSha256,
    commonName(issuer),
    sequence(time(new Date(now - 48 * HOUR_MS)), time(new Date(now + endsInMs))),
    commonName(name),
    publicKey.export({ type: "spki", format: "der" }),
    explicit(3, sequence(...extensions)),
  );
  return pem(sequence(tbs, ecdsaWithSha256, bits(sign("sha256", tbs, signer))));
}

function commonName(name: string): Buffer {
  return sequence(set(sequence(oid("2.5.4.3"), utf8(name))));
}

function extension(id: string, value: Buffer, critical = false): Buffer {
  return sequence(oid(id), ...(critical ? [boolean(true)] : []), octets(value));
}

/** RFC 5280, 4.2.1.6. */
function alternative(name: string): Buffer {
  if (isIPv4(name)) return implicit(7, Uint8Array.from(name.split("."), Number));
  return implicit(/^\w+:/.test(name) ? 6 : 2, Buffer.from(name));
}

function pem(der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

function pemOf(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}
