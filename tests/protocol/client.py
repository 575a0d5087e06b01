#!/usr/bin/env python3
"""A client of Seatkeeper in Python, from packaging/doc/PROTOCOL.md alone: verifies, takes, renews, gives back.

    client.py SOCKET ROOT.pem PRODUCT FEATURE [VERSION]    takes a seat; then `renew`, `state`, `release` by line

Signatures, keys and thumbprints are joserfc's (>= 1.6.5, which knows the `Ed25519` of RFC 9864) over OpenSSL.
"""
import base64, hashlib, http.client, json, pathlib, secrets, socket, sys, time
from joserfc import errors, jws
from claims import CLAIMS, SMALL, Refused, decode, encode, members, need, parse, point, together, word


class Registry(jws.JWSRegistry):
    max_payload_length = 256 * 1024  # joserfc's own limit of 128,000 bytes is less than a license may have


KIB = {"issuer": 32, "license": 256, "delegation": 16, "request": 16, "lease": 32}
REGISTRY = Registry(algorithms=["Ed25519"])


def verify(kind, token, *keys):
    """The claims of a token of this kind under one of these keys (T1 to T11); a request brings its own."""
    try:
        need(type(token) is str and len(token.encode()) <= KIB[kind] * 1024, "its size")
        segments = token.split(".")
        need(len(segments) == 3 and len(segments[0]) <= 256, "three segments")
        head, payload, signature = map(decode, segments)
        header = parse(head)
        members(alg=word("Ed25519"), typ=word(f"seatkeeper-{kind}+jwt"), kid=lambda v: need(type(v) is str, "kid"))(header)
        if kind == "request":
            CLAIMS[kind](own := parse(payload))
            keys = [own["cnf"]["jwk"]["x"]]
        key = next((key for key in map(point, keys) if key.thumbprint() == header["kid"]), None)
        need(key, "signed by none of these keys")
        need(len(signature) == 64 and int.from_bytes(signature[:32], "little") & (2**255 - 1) not in SMALL, "a strict signature")
        claims = parse(jws.deserialize_compact(token, key, registry=REGISTRY).payload)
        CLAIMS[kind](claims)
        together(kind, claims)
        need(kind in ("issuer", "license") or claims["iss"] == header["kid"], "iss")
        return claims
    except (ValueError, RecursionError, errors.JoseError) as error:
        raise Refused(repr(error)) from error


def chain(roots, tokens):
    """Issuer, license and delegation under one of these roots, each the x of a JWK (C1 to C7)."""
    need(all(tokens.get(kind) for kind in ("issuer", "license", "delegation")), "a token is missing")
    issuer = verify("issuer", tokens["issuer"], *roots)
    license = verify("license", tokens["license"], issuer["cnf"]["jwk"]["x"])
    need(license["iss"] == issuer["iss"] and license["product"] in issuer["products"], "vendor and product")
    need(issuer["nbf"] <= license["iat"] < issuer["exp"], "the issuer's dates")
    need(license["serial"] >= issuer["min_serial"] and issuer["sub"] not in issuer["revoked_kids"], "revoked")
    return license, verify("delegation", tokens["delegation"], license["cnf"]["jwk"]["x"])


def covers(limit, version):  # rule 12
    if limit is None or version is None:
        return limit is None
    limit, version = ([int(part) for part in v.split(".")] for v in (limit, version))
    return (version + [0] * len(limit))[:len(limit)] <= limit


def answer(roots, tokens, call):
    """The lease in these tokens, if it answers this call (A1 to A18)."""
    license, delegation = chain(roots, tokens)
    lease = verify("lease", tokens["lease"], delegation["cnf"]["jwk"]["x"])
    host = hashlib.sha256(bytes.fromhex(call["boot_id"]) + decode(call["nonce"])).digest()
    need(lease["nonce"] == call["nonce"] and lease["host"] == encode(host), "nonce and host")
    need(lease["feature"] == call["feature"] and lease["version"] == call["version"], "feature and version")
    need(len(lease["slots"]) == call["n"] and ("last" not in lease or call["renewal"]), "n and last")
    need(lease["license"] == encode(hashlib.sha256(tokens["license"].encode()).digest()), "license")
    need(license["product"] == call["product"], "product")
    feature = next((f for f in license["features"] if f["name"] == lease["feature"]), None)
    need(feature, "a feature of the license")
    need(feature["seats"] == "unlimited" or max(lease["slots"]) < feature["seats"] + feature["overdraft"], "slots")
    need(lease["ttl_s"] <= feature["ttl_s"] and lease["grace_s"] <= feature["grace_s"], "ttl_s and grace_s")
    need("last" not in lease or lease["ttl_s"] <= feature["save_s"], "save_s")
    need(set(lease["policies"]) <= {*feature["policies"], *feature["optional_policies"]}, "policies")
    need(covers(feature["version"], lease["version"]), "version_too_new")
    ours = [r for r in delegation["slots"]["ranges"] if (r["vendor"], r["license"], r["feature"]) ==
            (license["iss"], license["sub"], lease["feature"])] if delegation["slots"] != "all" else None
    need(ours is None or all(any(r["first"] <= s <= r["last"] for r in ours) for s in lease["slots"]), "delegated slots")
    for dated in (license, delegation):
        end = dated.get("exp", 2**63)
        need(dated["nbf"] <= lease["iat"] < end and lease["iat"] + lease["ttl_s"] + lease["grace_s"] <= end, "dates")
    return lease


class Denied(Exception):
    """A problem document (RFC 9457)."""


class Seat:
    """One seat of one feature; times run on the boot clock from the send of each call."""

    def __init__(self, path, roots, product, feature, version=None):
        self.path, self.roots, self.instance = path, roots, secrets.token_hex(16)
        boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip().replace("-", "")
        self.call = {"boot_id": boot, "product": product, "feature": feature, "version": version, "n": 1}
        item = {"feature": feature, "n": 1} | ({"version": version} if version else {})
        self.tokens = {}
        self.prove("POST", "/v1/leases", {"checkout_id": secrets.token_hex(16), "product": product, "items": [item],
                                          "roots": [point(x).thumbprint() for x in roots]}, renewal=False)

    def http(self, method, path, body=None):
        connection = http.client.HTTPConnection("localhost", timeout=10)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(self.path)
        connection.request(method, path, json.dumps(body) if body else None, {"content-type": "application/json"})
        reply = connection.getresponse()
        raw = reply.read()
        connection.close()
        if reply.status not in (200, 201, 204):
            raise Denied(json.loads(raw))
        return json.loads(raw) if raw else None

    def prove(self, method, path, body, renewal):
        nonce, sent = encode(secrets.token_bytes(16)), time.clock_gettime(time.CLOCK_BOOTTIME)
        reply = self.http(method, path, body | {"instance": self.instance, "nonce": nonce})
        tokens = self.tokens | reply.get("chain", {}) | {"lease": reply["lease"]}
        lease = answer(self.roots, tokens, self.call | {"nonce": nonce, "renewal": renewal})
        need(reply["id"] == lease["jti"], "another seat than its lease's")
        self.tokens, self.lease, self.sent = tokens, lease, sent

    def state(self):
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - self.sent
        ttl, grace = self.lease["ttl_s"], self.lease["grace_s"]
        return "live" if age < ttl else "grace" if age < ttl + grace else "over"

    def renew(self):
        self.prove("PUT", f"/v1/leases/{self.lease['jti']}", {"seen": self.tokens["lease"]}, renewal=True)

    def release(self):
        self.http("DELETE", f"/v1/leases/{self.lease['jti']}?instance={self.instance}")


def main(path, root, product, feature, version=None):
    der = base64.b64decode("".join(line for line in pathlib.Path(root).read_text().splitlines() if "-" not in line))
    tell = lambda **said: print(json.dumps(said), flush=True)
    try:
        held = Seat(path, [encode(der[-32:])], product, feature, version)
        tell(state=held.state(), **held.lease)
        for line in map(str.strip, sys.stdin):
            if line in ("renew", "release"):
                getattr(held, line)()
            tell(state="released" if line == "release" else held.state(), **held.lease)
    except Denied as no:
        tell(**no.args[0])
    except Refused as no:
        tell(code="untrusted", detail=str(no))


if __name__ == "__main__":
    main(*sys.argv[1:])
