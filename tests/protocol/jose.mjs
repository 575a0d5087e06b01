// Verifies Seatkeeper's tokens with `jose` from npm, from packaging/doc/PROTOCOL.md alone.
//
//     node jose.mjs answer FILE      verifies an answer: chain, lease and call
//     node jose.mjs vectors FOLDER   judges the vectors of form, size, keys, chain and answer
//
// The tables of section 5 (T9, T10) are claims.py's to show; here claims are read as they come.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { base64url, calculateJwkThumbprint, compactVerify, importJWK } from "jose";

const KIB = { issuer: 32, license: 256, delegation: 16, request: 16, lease: 32 };
const P = 2n ** 255n - 19n;
const D = (-121665n * power(121666n, P - 2n) % P + P) % P;
const little = (raw) => [...raw].reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
const ORDER_8 = ["26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"];
const SMALL = [0n, 1n, P - 1n, ...ORDER_8.map((y) => little(Buffer.from(y, "hex")))];
const hash = (...parts) => base64url.encode(parts.reduce((sum, part) => sum.update(part), createHash("sha256")).digest());

class Refused extends Error {}

function need(holds, what) {
  if (!holds) throw new Refused(what);
}

function power(base, exponent) {
  let product = 1n;
  for (base %= P; exponent > 0n; exponent >>= 1n, base = (base * base) % P) {
    if (exponent & 1n) product = (product * base) % P;
  }
  return product;
}

function decode(text) {
  need(typeof text === "string" && /^[A-Za-z0-9_-]*$/.test(text) && !text.includes("\n"), "base64url");
  const raw = base64url.decode(text);
  need(base64url.encode(raw) === text, "unused bits");
  return raw;
}

function strong(x) { // K1 to K3
  need(typeof x === "string" && x.length === 43, "a key's form");
  const number = little(decode(x));
  const y = number & (2n ** 255n - 1n), sign = number >> 255n;
  const square = ((y * y - 1n + P) % P) * power(D * y * y + 1n, P - 2n) % P;
  need(y < P && power(square, (P - 1n) / 2n) <= 1n && !(square === 0n && sign), "a canonical key");
  need(!SMALL.includes(y), "a strong key");
  return { kty: "OKP", crv: "Ed25519", x };
}

/// JSON.parse takes the last of two members of one name, so an exact header is one that is as long as what was read.
function header(raw) {
  const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(raw);
  const read = JSON.parse(text);
  const names = ["alg", "kid", "typ"];
  need(Object.keys(read).sort().join() === names.join() && names.every((n) => typeof read[n] === "string"), "a header");
  need(text.replace(/\s/g, "").length === JSON.stringify(read).length, "each member once");
  return read;
}

async function verify(kind, token, ...keys) { // T1 to T8 and T11
  need(typeof token === "string" && Buffer.byteLength(token) <= KIB[kind] * 1024, "its size");
  const segments = token.split(".");
  need(segments.length === 3 && segments[0].length <= 256, "three segments");
  const [head, payload, signature] = segments.map(decode);
  const { alg, typ, kid } = header(head);
  need(alg === "Ed25519" && typ === `seatkeeper-${kind}+jwt`, "alg and typ");
  if (kind === "request") keys = [JSON.parse(new TextDecoder().decode(payload)).cnf.jwk.x];
  const jwks = keys.map(strong);
  const prints = await Promise.all(jwks.map((jwk) => calculateJwkThumbprint(jwk)));
  const jwk = jwks[prints.indexOf(kid)];
  need(jwk, "signed by none of these keys");
  need(signature.length === 64 && !SMALL.includes(little(signature.slice(0, 32)) & (2n ** 255n - 1n)), "a strict signature");
  const verified = await compactVerify(token, await importJWK(jwk, "Ed25519"), { algorithms: ["Ed25519"] });
  const claims = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(verified.payload));
  need(["issuer", "license"].includes(kind) || claims.iss === kid, "iss");
  return claims;
}

async function chain(roots, tokens) { // C1 to C7
  const issuer = await verify("issuer", tokens.issuer, ...roots);
  const license = await verify("license", tokens.license, issuer.cnf.jwk.x);
  need(license.iss === issuer.iss && issuer.products.includes(license.product), "vendor and product");
  need(issuer.nbf <= license.iat && license.iat < issuer.exp, "the issuer's dates");
  need(license.serial >= issuer.min_serial && !issuer.revoked_kids.includes(issuer.sub), "revoked");
  return { license, delegation: await verify("delegation", tokens.delegation, license.cnf.jwk.x) };
}

function covers(limit, version) { // rule 12
  if (limit === null || version === null) return limit === null;
  const [most, parts] = [limit, version].map((v) => v.split(".").map(BigInt));
  const at = most.findIndex((part, n) => part !== (parts[n] ?? 0n));
  return at < 0 || (parts[at] ?? 0n) < most[at];
}

async function answer(v) { // A1 to A18
  const { license, delegation } = await chain(v.roots, v);
  const lease = await verify("lease", v.lease, delegation.cnf.jwk.x);
  need(lease.nonce === v.nonce && lease.host === hash(Buffer.from(v.boot_id, "hex"), decode(v.nonce)), "nonce and host");
  need(lease.feature === v.feature && lease.version === v.version && license.product === v.product, "what was asked");
  need(lease.slots.length === v.n && (!("last" in lease) || v.renewal), "n and last");
  need(lease.license === hash(v.license), "license");
  const feature = license.features.find((one) => one.name === lease.feature);
  need(feature, "a feature of the license");
  need(feature.seats === "unlimited" || lease.slots.every((s) => s < feature.seats + feature.overdraft), "slots");
  need(lease.ttl_s <= feature.ttl_s && lease.grace_s <= feature.grace_s, "ttl_s and grace_s");
  need(!("last" in lease) || lease.ttl_s <= feature.save_s, "save_s");
  need(lease.policies.every((p) => [...feature.policies, ...feature.optional_policies].includes(p)), "policies");
  need(covers(feature.version, lease.version), "version");
  const ours = (r) => r.vendor === license.iss && r.license === license.sub && r.feature === lease.feature;
  need(delegation.slots === "all" || lease.slots.every((s) =>
    delegation.slots.ranges.some((r) => ours(r) && r.first <= s && s <= r.last)), "delegated slots");
  for (const { nbf, exp = Infinity } of [license, delegation]) {
    need(nbf <= lease.iat && lease.iat < exp && lease.iat + lease.ttl_s + lease.grace_s <= exp, "dates");
  }
  return lease;
}

function judge(v) {
  if (v.kind === "key") return strong(v.key);
  if (v.kind === "chain") return chain(v.roots, v);
  if (v.kind === "answer") return answer(v);
  return verify(v.kind, v.token.replaceAll("*", "ICAg".repeat(v.fill ?? 0)), ...(v.key ? [v.key] : []));
}

/// Ours, jose's, and what is no JSON or UTF-8; anything else is a mistake of this script.
function refusal(error) {
  const known = error instanceof Refused || error instanceof SyntaxError || /^ERR_(JW|JOSE|ENCODING)/.test(error.code);
  if (!known) throw error;
  return "refused";
}

async function vectors(folder) {
  const counts = { refused: 0, accepted: 0 }, wrong = [];
  for (const name of ["form", "size", "keys", "chain", "answer"]) {
    const book = JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8"));
    for (const vector of book.vectors) {
      if (vector.check === "T9") continue;
      const v = { ...book.usual, ...vector };
      const said = await Promise.resolve().then(() => judge(v)).then(() => "accepted", refusal);
      counts[said] += 1;
      if (said !== v.expected) wrong.push(`${v.id}: ${said}, should be ${v.expected} (${v.reason})`);
    }
  }
  console.log([...wrong, `${counts.refused} refused and ${counts.accepted} accepted`].join("\n"));
  if (wrong.length > 0) process.exit(1);
}

const [what, path] = process.argv.slice(2);
if (what === "vectors") await vectors(path);
else console.log(JSON.stringify(await answer(JSON.parse(readFileSync(path, "utf8")))));
