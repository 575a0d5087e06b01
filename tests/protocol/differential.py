#!/usr/bin/env python3
"""Judges signatures by OpenSSL and compares (claim S7): differential.py FILE

Each line of FILE is {"class", "key", "ours"} with "message" and "signature", bytes in hex digits, or with a "token", of
which nothing but the signature is looked at. We may refuse what OpenSSL
accepts in three cases, each recognised here from the bytes alone; anything else that differs is a failure.
"""
import collections, json, pathlib, sys
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.backends.openssl import backend
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from claims import P, SMALL, Refused, decode


def theirs(case):
    try:
        if "token" in case:
            message, _, signature = case["token"].rpartition(".")
            message, signature = message.encode(), decode(signature)
        else:
            message, signature = bytes.fromhex(case["message"]), bytes.fromhex(case["signature"])
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(case["key"])).verify(signature, message)
        return True
    except (InvalidSignature, ValueError, Refused):
        return False


def stricter(case):
    number = lambda text: int.from_bytes(bytes.fromhex(text)[:32], "little")
    key, r = number(case["key"]), number(case.get("signature", "ff" * 32))
    y = key & (2**255 - 1)
    if y >= P or (y in (1, P - 1) and key >> 255):
        return "a key that is not canonical"
    if y in SMALL:
        return "a key of small order"
    return "R of small order" if (r & (2**255 - 1)) in SMALL else None


def main(path):
    cases = [json.loads(line) for line in pathlib.Path(path).read_text().splitlines()]
    counts, reasons, wrong = collections.defaultdict(collections.Counter), collections.Counter(), []
    for case in cases:
        said = theirs(case)
        counts[case["class"]][(case["ours"], said)] += 1
        if case["ours"] != said:
            why = None if case["ours"] else stricter(case)
            reasons[why] += 1
            if why is None:
                wrong.append(json.dumps(case))
    print(f"{backend.openssl_version_text()}, {len(cases)} signatures")
    print(f"{'class':<24}{'both accept':>12}{'both refuse':>12}{'only we refuse':>16}{'only we accept':>16}")
    for name, count in counts.items():
        cells = [count[key] for key in ((True, True), (False, False), (False, True), (True, False))]
        print(f"{name:<24}{cells[0]:>12}{cells[1]:>12}{cells[2]:>16}{cells[3]:>16}")
    for why, count in reasons.items():
        print(f"stricter on purpose: {why}: {count}" if why else f"WRONG: {count}")
    print("\n".join(wrong[:20]))
    return not wrong and {why for why in reasons if why} == {
        "a key that is not canonical", "a key of small order", "R of small order"}


if __name__ == "__main__":
    sys.exit(0 if main(sys.argv[1]) else 1)
