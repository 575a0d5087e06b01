"""Keys and claims of Seatkeeper's tokens: sections 4 and 5 of packaging/doc/PROTOCOL.md as functions that refuse."""
import base64, json, re, unicodedata
from joserfc import jwk


class Refused(Exception):
    """A token, chain or answer that is not believed."""


MOST, DAY, P = 2**53 - 1, 86_400, 2**255 - 19
ORDER_8 = ("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
           "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")
SMALL = {0, 1, P - 1, *(int.from_bytes(bytes.fromhex(y), "little") for y in ORDER_8)}


def need(holds, what):
    if not holds:
        raise Refused(what)


def encode(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text):
    need(isinstance(text, str) and re.fullmatch("[A-Za-z0-9_-]*", text) and len(text) % 4 != 1, "base64url")
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    need(encode(raw) == text, "unused bits")
    return raw


def parse(raw):
    def once(pairs):
        need(len(dict(pairs)) == len(pairs), "a member twice")
        return dict(pairs)
    integer = lambda digits: float(digits) if digits.startswith("-") else int(digits)
    value = json.loads(raw.decode(), object_pairs_hook=once, parse_constant=lambda c: need(False, c), parse_int=integer)
    json.dumps(value, ensure_ascii=False).encode()  # half of a surrogate pair has no UTF-8
    return value


def point(x):  # K1 to K3
    need(isinstance(x, str) and len(x) == 43, "a key's form")
    number = int.from_bytes(decode(x), "little")
    y, sign = number & (2**255 - 1), number >> 255
    square = (y * y - 1) * pow(-121665 * pow(121666, -1, P) * y * y + 1, -1, P) % P
    need(y < P and pow(square, (P - 1) // 2, P) in (0, 1) and not (square == 0 and sign), "a canonical key")
    need(y not in SMALL, "a strong key")
    return jwk.OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": x})


# Types of claims: each is a function that refuses.
def number(low=0, high=MOST):
    return lambda v: need(type(v) is int and low <= v <= high, f"a number from {low} to {high}")
def text(v, most=256):
    bad = lambda c: unicodedata.category(c) == "Cc" or c in "\u200e\u200f" or "\u2028" <= c <= "\u202e" or "\u2066" <= c <= "\u2069"
    need(type(v) is str and 0 < len(v.encode()) <= most and v.strip() == v and not any(map(bad, v)), "a text")
def name(v): text(v, 128); need("/" not in v, "a name")
def hash_(v): need(type(v) is str and len(decode(v)) == 32, "a hash")
def version(v): name(v); need(re.fullmatch(r"[0-9]+(\.[0-9]+)*", v), "a version")
def info(v): need(type(v) is dict, "info")
def boolean(v): need(type(v) is bool, "a boolean")
def nonce(v): need(16 <= len(decode(v)) <= 64, "a nonce")
def word(*words): return lambda v: need(type(v) is str and v in words, f"one of {words}")
def null(kind): return lambda v: v is None or kind(v)
def ids(many): return lambda v: need(type(v) is str and re.fullmatch(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*)){%d}" % (many - 1), v)
                                     and all(int(n) <= MOST for n in v.split(".")), "ids")
def some(v): number(1)(v) if v != "unlimited" else None
def listed(kind, least=0, once=lambda v: v):
    def check(v):
        need(type(v) is list and len(v) >= least, "a list")
        for one in v: kind(one)
        need(len({once(one) for one in v}) == len(v), "each once")
    return check
def members(optional=(), **kinds):
    def check(v):
        need(type(v) is dict and v.keys() | set(optional) == kinds.keys(), "exactly its members")
        for key in v: kinds[key](v[key])
    return check
def slots(v):
    if v != "all":
        RANGES(v)
        for r in v["ranges"]: need(r["first"] <= r["last"], "a range")


DATE, TEN_YEARS = number(), number(0, 3660 * DAY)
KEY = members(jwk=members(kty=word("OKP"), crv=word("Ed25519"), x=point))
RANGES = members(ranges=listed(members(vendor=name, license=name, feature=name, first=DATE, last=DATE), 1, id))
FEATURE = members(
    name=name, seats=some, model=word("floating", "named"), counting=word("process", "user", "host", "user+host"),
    version=null(version), ttl_s=number(1, DAY), grace_s=number(0, DAY), save_s=number(1), cool_down_s=TEN_YEARS,
    linger_s=TEN_YEARS, overdraft=number(), share_max=some, named_min_s=TEN_YEARS, policies=listed(name),
    optional_policies=listed(name), borrow=null(members(max_days=number(1, 30), max_share_percent=number(1, 100),
                                                        trust_early_return=boolean, write_offs=number())))
CLAIMS = {
    "issuer": members(iss=name, sub=hash_, jti=name, iat=DATE, nbf=DATE, exp=DATE, cnf=KEY, products=listed(name, 1),
                      min_serial=number(), revoked_kids=listed(hash_), info=info),
    "license": members(("exp",), iss=name, sub=name, iat=DATE, serial=number(1), replaces=null(name), product=name,
                       customer=members(id=text, name=text, contact=text, managed_by=null(text)), nbf=DATE, exp=DATE,
                       term=word("dated", "perpetual"), cnf=KEY, features=listed(FEATURE, 1, lambda f: f["name"]), info=info),
    "delegation": members(iss=hash_, sub=hash_, jti=name, iat=DATE, nbf=DATE, exp=DATE, cnf=KEY, slots=slots, info=info),
    "request": members(iss=hash_, jti=name, iat=DATE, cnf=KEY, site=text, account=text, product_version=null(text),
                       order=null(text), installed=listed(members(vendor=name, license=name, serial=number()), 0, id),
                       clocks_accepted=number(), daemon=text, info=info),
    "lease": members(("last",), iss=hash_, sub=text, jti=ids(3), license=hash_, feature=name, version=null(version),
                     policies=listed(name), slots=listed(number(), 1), gid=ids(2), seq=number(), epoch=number(),
                     run_id=name, nonce=nonce, iat=DATE, ttl_s=number(1, DAY), grace_s=number(0, DAY), warning=listed(name),
                     last=word("reclaimed", "released", "right_lost", "superseded"), host=hash_, info=info),
}


def together(kind, c):  # T10 and T11 where claims bound one another
    if kind in ("issuer", "delegation"):
        need(c["nbf"] < c["exp"] and c["sub"] == point(c["cnf"]["jwk"]["x"]).thumbprint(), "dates and sub")
    if kind == "delegation":
        need(c["exp"] - min(c["nbf"], c["iat"]) <= 90 * DAY, "90 days")
    if kind == "license":
        need(("exp" in c) == (c["term"] == "dated") and c["nbf"] < c.get("exp", MOST + 1), "term")
        need(c["replaces"] != c["sub"], "replaces")
        for f in c["features"]:
            both = f["policies"] + f["optional_policies"]
            need(f["ttl_s"] + f["grace_s"] <= DAY and f["save_s"] <= f["ttl_s"] and len(set(both)) == len(both), "terms")
            need(f["overdraft"] == 0 if f["seats"] == "unlimited" else f["seats"] + f["overdraft"] <= MOST, "overdraft")
            need(f["model"] == "floating" or f["counting"] != "process" and f["share_max"] == "unlimited", "named")
            need(sum(len(p.encode()) + p.count('"') + p.count("\\") + 3 for p in both) <= 4096, "policies")
    if kind == "lease":
        need(c["jti"].rsplit(".", 1)[0] == c["gid"] and c["slots"] == sorted(c["slots"]), "gid and slots")
        need(c["ttl_s"] + c["grace_s"] <= DAY and ("last" not in c or c["grace_s"] == 0), "ttl_s and grace_s")
